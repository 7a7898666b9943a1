"""Write down each function of the product that this process enters.

Python imports this module at the start of every process that has this folder on PYTHONPATH, child processes
included. A line is process, thread, file and function. What runs because a module is imported is left out.
"""

import os
import sys
import threading
from types import FrameType
from typing import Any

_ROOT = os.environ["HOPS_ROOT"] + "/"
_PRODUCT = tuple(_ROOT + part for part in os.environ["HOPS_PRODUCT"].split(":"))
_LOG = os.open(os.environ["HOPS_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
_importing: dict[int, int] = {}  # thread to the depth of modules that are being imported


def _record(frame: FrameType, event: str, _: Any) -> None:
    code = frame.f_code
    if event not in ("call", "return") or not code.co_filename.startswith(_PRODUCT):
        return
    thread = threading.get_ident()
    if code.co_name == "<module>":
        if frame.f_globals.get("__name__") != "__main__":
            _importing[thread] = _importing.get(thread, 0) + (1 if event == "call" else -1)
    elif event == "call" and not _importing.get(thread) and not code.co_name.startswith("<"):
        file = code.co_filename.removeprefix(_ROOT)
        line = f"{os.getpid()} {thread} {file} {code.co_qualname}\n"
        os.write(_LOG, line.encode())


threading.setprofile(_record)
sys.setprofile(_record)
