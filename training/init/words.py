"""What the name of a column, or a value, says of its meaning, in the languages that dates are read in."""

import re
from typing import Final

from model.values.columns import parse_boolean
from model.values.spelling import folded

_CAMEL: Final = re.compile(r"(?<=[a-z\d])(?=[A-Z])")
_WORD: Final = re.compile(r"[a-z]+|\d+")
_OUTCOME: Final = re.compile(
    "attrit(ed|ion)?|cancel(s|l?ed|l?ing|l?ations?)?|churn(s|ed|er|ers|ing)?|clos(ed|ure)|convert(s|ed)?|conversion"
    "|deactivat(ed|ion|e)|defect(ed|ion)|deregist(er|ered|ration)|discontinued|dropouts?|dropped|exit(s|ed)?|lapsed?"
    "|leav(e|er|ers|ing)|left|lost|quit|resign(ed|ation)?|terminat(e|ed|ion)|unregist(er|ered|ration)|unsubscribed?"
    "|withdraw(n|al)?|gone|inactive|inaktiv|gekundigt|kundigt|kundigung(en|sdatum)?|(ge)?kuendig(t|ung)|abgewandert|abwanderung"
    "|austritt(sdatum)?|ausgetreten|storn(o|iert|ierung)|abmeldung|abgemeldet|resilie|resiliation|depart|parti"
    "|baja|cancelad[oa]|abandon(o|ed)?"
)
_LABEL: Final = re.compile(
    "y|label|target|outcome|class|response|responded|purchased|bought|subscribed|renewed|renewal|deposit"
    "|defaulted|revenue|positive|accepted|won|fraud|show|again|ziel|gekauft|acheteur|compra"
)
_STAYS: Final = re.compile(
    "stay(s|ed)?|active?|existing|retain(ed)?|current|loyal|remain(s|ed)?|continu(es|ed)|renewed|running|open"
    "|aktiv|laufend|bestand|bleibt|actif|activ[oa]"
)
_KEPT: Final = frozenset({"active", "aktiv", "actif", "activo", "retained"})
_NOT: Final = frozenset({"not", "non", "no", "nicht", "kein", "keine", "pas", "un"})
_COUNTED: Final = frozenset(
    {
        "prev",
        "previous",
        "prior",
        "past",
        "former",
        "last",
        "number",
        "num",
        "count",
        "days",
        "rate",
        "rates",
        "reason",
    }
)
_END: Final = re.compile(
    "ends?|ended|enddate|ende|vertragsende|laufzeitende|until|to|bis|expir(y|es|ed|ation)|stop(ped)?|fin|departure"
)
_CUSTOMER: Final = re.compile(
    r"(id)?(the)?(customers?|custom|cust|clients?|kunden?|users?|members?|mitglieds?|subscribers?|accounts?|acct|konto"
    r"|households?|persons?|patients?|students?|employees?|visitors?|players?|donors?|guests?|msisdn|msno|cliente|usuario"
    r"|abonne)(unique|master)?(id|ids|nr|num|nummer|number|no|key|code|ref|uuid|guid)?"
)
_OTHER_ID: Final = re.compile(
    r"(order|invoice|bill|product|item|stock|sku|article|artikel|session|event|transaction|trans|row|line|record|index"
    r"|unnamed|assessment|basket|store|shop|ticket|rechnungs?|bestell|auftrags?)\w*"
)
_ANY_ID: Final = frozenset({"id", "ids", "uuid", "guid", "key", "uid", "cid", "pid", "nr", "number", "no"})
_TYPE: Final = re.compile(
    "types?|event|action|kind|activity|ereignis|aktion|art|typ|vorgang|category|evento|accion"
)
_PERSON: Final = re.compile(
    r"e ?mail\w*|phone\w*|telefon\w*|(sur|last|first|full|nach|vor)? ?name|address\w*|adresse|strasse|street"
)


def words_of(name: str) -> list[str]:
    """The words of a name: `churnDate`, `churn_date` and `Churn Date` have the same."""
    return _WORD.findall(folded(_CAMEL.sub(" ", name)).replace("_", " "))


def means_an_outcome(text: str) -> bool:
    """Return whether a text says that something ends, such as `cancelled_at`; `No churn` does not."""
    words = words_of(text)
    return any(map(_OUTCOME.fullmatch, words)) and not _NOT & set(words) and not _COUNTED & set(words)


def names_a_label(name: str) -> bool:
    """Return whether a column of two values with this name is usually a label, such as `target`."""
    words = words_of(name)
    return any(map(_LABEL.fullmatch, words)) and not _COUNTED & set(words)


def names_the_stayers(name: str) -> bool:
    """Return whether a column of yes and no with this name says who is still there, such as `is_active`."""
    words = words_of(name)
    return any(word in _KEPT for word in words) and not (_NOT | _COUNTED) & set(words)


def means_staying(text: str) -> bool:
    """Return whether a value says that nothing ended, such as `Existing Customer`, `No` or `not churned`."""
    words = words_of(text)
    negated = bool(_NOT & set(words)) and any(map(_OUTCOME.fullmatch, words))
    return (
        negated or any(map(_STAYS.fullmatch, words)) or parse_boolean(text) == 0 or text.casefold() == "nein"
    )


def names_an_end(name: str) -> bool:
    """Return whether a column of dates with this name says when something ends."""
    return means_an_outcome(name) or any(map(_END.fullmatch, words_of(name)))


def names_a_type(name: str) -> bool:
    """Return whether a column of a log with this name says what happened."""
    words = words_of(name)
    return any(map(_TYPE.fullmatch, words)) and len(words) <= len(("event", "type", "name"))


def names_a_person(name: str) -> bool:
    """Return whether a column holds names, addresses or the like, which say who somebody is."""
    return bool(_PERSON.fullmatch(" ".join(words_of(name))))


def id_rank(name: str) -> int:
    """Rank a name as that of a customer's id: 2 surely, 1 of any id, 0 not, -2 of another thing's id."""
    joined = "".join(words_of(name))
    if _OTHER_ID.fullmatch(joined):
        return -2
    if _CUSTOMER.fullmatch(joined):
        return 2
    return int(joined in _ANY_ID)
