"""Files of any size in, their scores out: parsed, scored and answered some thousand rows at a time."""
