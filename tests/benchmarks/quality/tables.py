"""Cases of a table: 80 % of the rows train, 20 % test, drawn within the label."""

from pathlib import Path
from typing import Final

import numpy as np
from sklearn.model_selection import train_test_split

from model.errors import StudyError
from tests.benchmarks.quality.cases import Case, data_files
from tests.benchmarks.quality.features import read_features
from tests.benchmarks.quality.files import read_texts
from tests.benchmarks.quality.problem import Deal, Problem, Split, held_rows
from training.prepare import prepare
from training.study.study import read_study

TEST_SHARE: Final = 0.2


def table_deal(case: Case, data: Path, folder: Path) -> Deal:
    """Read a case once; each seed then draws other rows.

    Args:
        folder: for the files that Propense reads.

    Raises:
        StudyError, DataError: the case or its data cannot be used.
    """
    if set(case.sources) != {"customers"} or case.leave_out:
        raise StudyError(f"{case.name}: a case of a table names its customers alone, and leaves out nothing")
    files = data_files(case, data)
    prepared = prepare(
        read_study(case.write_study(folder / "all.yaml", {"customers": files["customers"][0]}))
    )
    texts = read_texts(files["customers"])
    about, plan = prepared.plan.examples, prepared.plan
    positive = plan.labels.outcomes[:, -1]
    target = case.study["target"]["column"]

    def split(seed: int) -> Split:
        train, test = train_test_split(
            np.arange(len(about)), test_size=TEST_SHARE, stratify=positive, random_state=seed
        )
        place = folder / f"seed-{seed}"
        place.mkdir()
        texts.iloc[about.customers[train]].to_csv(place / "train.csv", index=False)
        asked = texts.iloc[about.customers[test]].drop(columns=target)
        asked.to_csv(place / "test.csv", index=False)
        learnt, asked_about = read_features(prepared, about.take(train), about.take(test))
        return Split(
            study=case.write_study(place / "study.yaml", {"customers": place / "train.csv"}),
            scoring=("--customers", str(place / "test.csv")),
            ids=None,
            rows=about.customers[test],
            n_rows=len(texts),
            labels=positive[test].astype(np.float64),
            problem=Problem(learnt, positive[train], held_rows(positive[train], seed), asked_about),
        )

    return split
