import pytest

from model.values.spelling import folded, is_no_answer, is_no_value, matching


@pytest.mark.parametrize("text", ["cancel", "Cancel", "CANCEL ", "cancel.", "cáncel"])
def test_spellings_of_one_name(text: str) -> None:
    assert matching([text, "visit"], ["Cancel"]) == [text]


def test_blanks_and_hyphens_between_letters_are_one() -> None:
    assert len({folded(text) for text in ("Order_Placed", "order placed", "order-placed")}) == 1


@pytest.mark.parametrize(
    ("one", "other"), [("-1", "1"), ("<50K", ">50K"), ("a+", "a-"), (".", "-"), ("10", "1 0")]
)
def test_signs_make_a_difference(one: str, other: str) -> None:
    assert folded(one) != folded(other)


@pytest.mark.parametrize(
    ("text", "says_nothing"),
    [("?", True), ("UNKNOWN", True), ("\\N", True), ("no", False), ("0", False), ("x", False)],
)
def test_texts_that_say_nothing(text: str, says_nothing: bool) -> None:
    assert is_no_answer(text) == says_nothing
    assert is_no_value(text) == says_nothing


@pytest.mark.parametrize("text", ["never", "ND", "n/d", "#DIV/0!", "0000-00-00"])
def test_a_cell_without_a_value_may_be_an_answer(text: str) -> None:
    assert is_no_value(text)
    assert not is_no_answer(text)
