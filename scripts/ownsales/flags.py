"""How a column says yes and no."""

from sales.contract_sql import literal

TRUE = ("true", "t", "yes", "y", "1", "x", "ja", "j", "si", "sí", "s", "oui", "o", "on", "wahr", "verdadero", "vrai")
FALSE = ("false", "f", "no", "n", "0", "-", "nein", "non", "off", "none", "falsch", "falso", "faux", "regular day")


def expression(value: str, other_is_true: bool) -> str:
    """SQL that makes a flag of a text; another text, such as a holiday's name, may count as yes."""
    text = f"lower({value})"
    yes, no = (", ".join(literal(each) for each in words) for words in (TRUE, FALSE))
    other = f"when {text} is not null then true" if other_is_true else ""
    return f"case when {text} in ({yes}) then true when {text} in ({no}) then false {other} end"
