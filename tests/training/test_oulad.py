"""The worked example of contracts: five tables of a university become two files, with the right label."""

import gzip
import runpy
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pytest

from model.store.registry import Registry
from model.times import format_instant
from tests.training.shops import SMALL
from training.prepare import prepare
from training.publish.publish import train
from training.study.study import Study, read_study

CONFIGS: Final = Path(__file__).parents[2] / "configs"
STUDENT: Final = (
    "code_module,code_presentation,id_student,gender,region,highest_education,imd_band,age_band,"
    "num_of_prev_attempts,studied_credits,disability,final_result"
)
# Students 7 (twice), 8 (left before the start), 9 (on an unknown day), 10 (after the end of the course).
TABLES: Final = {
    "course": """\
code_module,code_presentation,module_presentation_length
AAA,2013B,240
BBB,2013J,268
""",
    "assessment": """\
code_module,code_presentation,id_assessment,assessment_type,date,weight
AAA,2013B,11,TMA,19,10
AAA,2013B,12,Exam,NA,100
BBB,2013J,21,CMA,54,2.5
""",
    "student": f"""\
{STUDENT}
AAA,2013B,7,F,Wales,HE Qualification,0-10%,0-35,1,60,FALSE,Pass
BBB,2013J,7,F,Wales,HE Qualification,0-10%,0-35,0,120,FALSE,Withdrawn
AAA,2013B,8,M,Wales,HE Qualification,0-10%,0-35,0,60,FALSE,Withdrawn
AAA,2013B,9,M,Wales,HE Qualification,0-10%,0-35,0,60,FALSE,Withdrawn
AAA,2013B,10,M,Ireland,No Formal quals,NA,55<=,0,30,TRUE,Fail
""",
    "student_registration": """\
code_module,code_presentation,id_student,date_registration,date_unregistration
AAA,2013B,7,-30,NA
BBB,2013J,7,12,80
AAA,2013B,8,-20,0
AAA,2013B,9,-20,NA
AAA,2013B,10,NA,300
""",
    "student_assessment": """\
id_assessment,id_student,date_submitted,is_banked,score
11,7,17,FALSE,78
12,7,235,FALSE,60
21,7,60,FALSE,NA
11,9,18,FALSE,50
11,10,-1,TRUE,55
""",
}
ENROLMENTS: Final = """\
enrolment,id_student,started_at,ended_at,code_module,start_month,gender,region,highest_education,imd_band,\
age_band,num_of_prev_attempts,studied_credits,disability,registration_lead_days
AAA-2013B-7,7,2013-02-01,2013-09-29,AAA,February,F,Wales,HE Qualification,0-10%,0-35,1,60,False,30.0
BBB-2013J-7,7,2013-10-13,2013-12-20,BBB,October,F,Wales,HE Qualification,0-10%,0-35,0,120,False,-12.0
AAA-2013B-10,10,2013-02-01,2013-09-29,AAA,February,M,Ireland,No Formal quals,,55<=,0,30,True,
"""
EVENTS: Final = """\
enrolment,time,type,score,weight,days_late
AAA-2013B-7,2013-02-18,submission_TMA,78.0,10.0,-2.0
AAA-2013B-7,2013-09-24,submission_Exam,60.0,100.0,
BBB-2013J-7,2013-11-30,submission_CMA,,2.5,6.0
AAA-2013B-7,2013-09-29,completed,,,
AAA-2013B-10,2013-09-29,completed,,,
"""


def write_tables(folder: Path, tables: Mapping[str, str]) -> None:
    """The five tables; the largest is packed, as any may be."""
    folder.mkdir()
    for name, text in tables.items():
        if name == "student_assessment":
            (folder / f"{name}.csv.gz").write_bytes(gzip.compress(text.encode()))
        else:
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")


def convert(folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script as a user runs it."""
    monkeypatch.setattr(sys, "argv", ["oulad_files.py", str(folder), str(out)])
    runpy.run_path(str(CONFIGS / "oulad_files.py"), run_name="__main__")


def test_the_files_of_the_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tables(tmp_path / "tables", TABLES)
    convert(tmp_path / "tables", tmp_path / "new" / "oulad", monkeypatch)
    out = tmp_path / "new" / "oulad"
    assert (out / "enrolments.csv").read_text(encoding="utf-8") == ENROLMENTS
    assert (out / "events.csv").read_text(encoding="utf-8") == EVENTS
    assert capsys.readouterr().out == (
        "3 of 5 enrolments written; left out: 1 who unregistered on or before their first day, "
        "1 who withdrew on an unknown day\n"
        "3 of 5 results written; left out: 1 from an earlier run (banked), "
        "1 of enrolments that were left out\n"
    )


def test_a_table_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tables(tmp_path / "tables", {name: text for name, text in TABLES.items() if name != "course"})
    with pytest.raises(SystemExit) as caught:
        convert(tmp_path / "tables", tmp_path / "oulad", monkeypatch)
    assert caught.value.code == (
        f"{tmp_path / 'tables'} must hold course.csv or course.csv.gz; oulad.md has the address"
    )


class Enrolled(NamedTuple):
    """A made-up enrolment in a course of 240 days; `left` is None for who stayed."""

    presentation: str
    student: int
    registered: int
    left: int | None
    submitted: int


STARTS: Final = {"2013B": date(2013, 2, 1), "2013J": date(2013, 10, 1), "2014J": date(2014, 10, 1)}


def draw_enrolments(n: int) -> list[Enrolled]:
    """So many students, most of them in two courses; four in ten leave, some of them before day 60."""
    draw = np.random.default_rng(0)
    return [
        Enrolled(
            presentation,
            student,
            int(draw.integers(-90, 70)),
            int(draw.integers(-20, 240)) if draw.random() < 0.4 else None,
            int(draw.integers(0, 200)),
        )
        for presentation in STARTS
        for student in range(n)
        if draw.random() < 0.7
    ]


def tables_of(enrolments: Sequence[Enrolled]) -> dict[str, str]:
    """The five tables, with one assessment a course."""
    registrations, students, results = [], [], []
    for presentation, student, registered, left, submitted in enrolments:
        key = f"AAA,{presentation},{student}"
        registrations.append(f"{key},{registered},{'' if left is None else left}")
        result = "Pass" if left is None else "Withdrawn"
        students.append(f"{key},F,Wales,HE Qualification,0-10%,0-35,0,{60 + student % 3},False,{result}")
        if left is None or submitted < left:
            results.append(f"{presentation},{student},{submitted},False,{50 + student % 40}")
    heads = {name: text.split("\n", 1)[0] for name, text in TABLES.items()}
    rows = {
        "course": [f"AAA,{presentation},240" for presentation in STARTS],
        "assessment": [f"AAA,{presentation},{presentation},TMA,50,10" for presentation in STARTS],
        "student": students,
        "student_registration": registrations,
        "student_assessment": results,
    }
    return {name: "\n".join([heads[name], *rows[name], ""]) for name in TABLES}


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """The study of configs/ on made-up students, small and quick."""
    write_tables(tmp_path / "tables", tables_of(draw_enrolments(400)))
    convert(tmp_path / "tables", tmp_path / "oulad", monkeypatch)
    shutil.copy(CONFIGS / "oulad.yaml", tmp_path)
    return read_study(tmp_path / "oulad.yaml", SMALL)


def test_who_is_asked_and_who_leaves(study: Study) -> None:
    plan = prepare(study).plan
    assert plan.kind == "forward"
    for presentation, start in STARTS.items():
        at = [format_instant(t) == str(start + timedelta(60)) for t in plan.examples.cutoffs.tolist()]
        asked = [
            e
            for e in draw_enrolments(400)
            if e.presentation == presentation
            and e.registered <= 60
            and (e.left is None or e.left > max(60, e.registered))
        ]
        assert sum(at) == len(asked) > 100
        assert plan.labels.complete[at].all()
        gone = [sum(e.left is not None and e.left <= 60 + days for e in asked) for days in (30, 90, 170)]
        assert plan.labels.outcomes[at].sum(axis=0).tolist() == gone


def test_a_student_is_on_one_side_in_every_course(study: Study) -> None:
    prepared = prepare(study)
    plan, ids = prepared.plan, np.asarray(prepared.dataset.ids)
    tested, trained = (
        {name.rsplit("-", 1)[1] for name in ids[plan.examples.customers[rows]]}
        for rows in (plan.unseen, plan.measured.rows)
    )
    assert tested
    assert not tested & trained


def test_the_study_trains(study: Study, tmp_path: Path) -> None:
    test = prepare(study).plan
    report = train(study, Registry(tmp_path / "registry")).report
    assert report["question"] == "Will a running contract end (ended_at) within 30, 90 or 170 days?"
    for column, horizon in enumerate(("30", "90", "170")):
        figures = report["metrics"][horizon]["model"]
        assert figures["n"] == len(test.test)
        assert figures["positives"] == int(test.labels.outcomes[test.test, column].sum())
