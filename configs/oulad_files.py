"""The tables of the Open University (OULAD) -> enrolments.csv and events.csv, which oulad.yaml reads.

    python configs/oulad_files.py FOLDER OUT

FOLDER holds assessment, course, student, student_assessment and student_registration, as .csv or .csv.gz.
Their days count from the start of a course, which has no date: "2013B" means February 2013 and
"2013J" October, of which the first day is assumed. oulad.md has the rest.
"""

import argparse
import sys
from pathlib import Path
from typing import Final

import pandas as pd

RUN: Final = ["code_module", "code_presentation"]  # one run of a course
ENROLMENT: Final = [*RUN, "id_student"]  # a student may enrol several times
MONTHS: Final = {"B": "02", "J": "10"}

# Beside the dates: what was known on the first day. The final result and the day of unregistration were not.
KNOWN: Final = [
    "code_module",
    "start_month",
    "gender",
    "region",
    "highest_education",
    "imd_band",
    "age_band",
    "num_of_prev_attempts",
    "studied_credits",
    "disability",
    "registration_lead_days",
]


def read(folder: Path, name: str) -> pd.DataFrame:
    """One of the five tables; ids are texts."""
    paths = [path for suffix in (".csv", ".csv.gz") if (path := folder / f"{name}{suffix}").is_file()]
    if not paths:
        sys.exit(f"{folder} must hold {name}.csv or {name}.csv.gz; oulad.md has the address")
    return pd.read_csv(paths[0], dtype={"id_student": str, "id_assessment": str})


def all_enrolments(student: pd.DataFrame, registration: pd.DataFrame, course: pd.DataFrame) -> pd.DataFrame:
    """Every enrolment with its dates; those of students who stayed end with the course."""
    rows = student.merge(registration, on=ENROLMENT, validate="1:1").merge(course, on=RUN, validate="m:1")
    presentation = rows["code_presentation"]
    left, length = rows["date_unregistration"], rows["module_presentation_length"]
    month = presentation.str[:4] + "-" + presentation.str[4:].map(MONTHS)
    rows["course_start"] = pd.to_datetime(month + "-01", format="%Y-%m-%d")
    rows["first_day"] = rows["date_registration"].fillna(0).clip(lower=0)
    rows["stayed"] = left.isna() | (left > length)
    rows["enrolment"] = rows[ENROLMENT].agg("-".join, axis=1)
    rows["started_at"] = dates(rows, rows["first_day"])
    rows["ended_at"] = dates(rows, left.mask(rows["stayed"], length))
    rows["start_month"] = rows["course_start"].dt.month_name()
    rows["registration_lead_days"] = -rows["date_registration"]
    return rows


def submissions(enrolments: pd.DataFrame, assessment: pd.DataFrame, results: pd.DataFrame) -> pd.DataFrame:
    """What was handed in, by the enrolment in whose course the assessment belongs."""
    rows = results.merge(assessment, on="id_assessment", validate="m:1").merge(enrolments, on=ENROLMENT)
    rows["time"] = dates(rows, rows["date_submitted"])
    rows["type"] = "submission_" + rows["assessment_type"]
    rows["days_late"] = rows["date_submitted"] - rows["date"]
    return rows[["enrolment", "time", "type", "score", "weight", "days_late"]]


def completions(enrolments: pd.DataFrame) -> pd.DataFrame:
    """The end of the course for those who stayed: no choice of theirs."""
    rows = enrolments.loc[enrolments["stayed"], ["enrolment", "ended_at"]]
    return rows.rename(columns={"ended_at": "time"}).assign(type="completed")


def dates(rows: pd.DataFrame, days: pd.Series) -> pd.Series:
    """Days since the start of the course as dates."""
    return rows["course_start"] + pd.to_timedelta(days, unit="D")


def write(folder: Path, out: Path) -> list[str]:
    """Write both files, and say what was left out."""
    every = all_enrolments(
        read(folder, "student"), read(folder, "student_registration"), read(folder, "course")
    )
    never_ran = every["date_unregistration"] <= every["first_day"]
    unknown = (every["final_result"] == "Withdrawn") & every["date_unregistration"].isna()
    kept = every[~never_ran & ~unknown]
    results = read(folder, "student_assessment")
    own = results[~results["is_banked"].astype(bool)]
    handed_in = submissions(kept, read(folder, "assessment"), own)
    events = pd.concat([handed_in, completions(kept)], ignore_index=True)
    out.mkdir(parents=True, exist_ok=True)
    columns = ["enrolment", "id_student", "started_at", "ended_at", *KNOWN]
    kept[columns].to_csv(out / "enrolments.csv", index=False, date_format="%Y-%m-%d")
    events.to_csv(out / "events.csv", index=False, date_format="%Y-%m-%d")
    return [
        f"{len(kept):,} of {len(every):,} enrolments written; left out: {never_ran.sum():,} who unregistered "
        f"on or before their first day, {unknown.sum():,} who withdrew on an unknown day",
        f"{len(handed_in):,} of {len(results):,} results written; left out: {len(results) - len(own):,} from "
        f"an earlier run (banked), {len(own) - len(handed_in):,} of enrolments that were left out",
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="OULAD -> the files of oulad.yaml")
    parser.add_argument("folder", type=Path, help="the five tables")
    parser.add_argument("out", type=Path, help="where enrolments.csv and events.csv go")
    arguments = parser.parse_args()
    sys.stdout.write("\n".join(write(arguments.folder, arguments.out)) + "\n")
