"""Text in LaTeX that any of its engines sets, with no package loaded."""

import re
import unicodedata

ASCII = {
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    # In braces, since the first two are read as arguments where a row of a table begins, and the last joins to ¿.
    **{sign: f"{{{sign}}}" for sign in "[*`"},
    **{sign: f"\\{sign}" for sign in "#$%&_{}"},
    '"': r"\char34{}",
}
SMALL = (
    "alpha beta gamma delta varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho varsigma sigma tau upsilon "
    "varphi chi psi omega"
)
LARGE = "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
MATHS = {
    **dict(zip("αβγδεζηθικλμνξπρςστυφχψω", SMALL.split(), strict=True)),
    **dict(zip("ΓΔΘΛΞΠΣΥΦΨΩ", LARGE.split(), strict=True)),
    "µ": "mu",
    "±": "pm",
    "×": "times",
    "÷": "div",
    "·": "cdot",
    "≤": "leq",
    "≥": "geq",
    "≠": "neq",
    "≈": "approx",
    "∞": "infty",
    "∑": "sum",
    "√": "surd",
    "∂": "partial",
    "∇": "nabla",
    "∈": "in",
    "→": "rightarrow",
    "←": "leftarrow",
    "↑": "uparrow",
    "↓": "downarrow",
    # Filled ones are in a package.
    "▲": "bigtriangleup",
    "▼": "bigtriangledown",
    "†": "dagger",
    "‡": "ddagger",
    "§": "S",
    "°": "circ",
}
WORDS = {
    "–": r"\textendash{}",
    "—": r"\textemdash{}",
    "−": "$-$",
    "…": r"\ldots{}",
    "‘": r"\textquoteleft{}",
    "’": "'",
    "“": r"\textquotedblleft{}",
    "”": r"\textquotedblright{}",
    "ß": r"\ss{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "ı": r"\i{}",
    "¶": r"\P{}",
    "©": r"\copyright{}",
    "£": r"\pounds{}",
}
# Combining accents; what they stand over comes before them in Unicode.
ACCENTS = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0304": "=",
    "\u0306": "u",
    "\u0307": ".",
    "\u0308": '"',
    "\u030a": "r",
    "\u030b": "H",
    "\u030c": "v",
    "\u0323": "d",
    "\u0327": "c",
    "\u0331": "b",
}
# Two of these become one sign.
JOINING = re.compile(r"(-(?=-)|'(?='))")


def escaped(text: str) -> str:
    """Text that reads as itself, in one line; a sign that LaTeX does not know is told by its number, ``U+4E2D``."""
    found = "".join(map(_sign, unicodedata.normalize("NFC", " ".join(text.split()))))
    return JOINING.sub(r"\1{}", found)


def _sign(sign: str) -> str:
    if sign in ASCII:
        return ASCII[sign]
    if sign.isascii() and sign.isprintable():
        return sign
    if sign in MATHS:
        return f"$\\{MATHS[sign]}$"
    if sign in WORDS:
        return WORDS[sign]
    base, *accents = list(unicodedata.normalize("NFD", sign))
    if base.isascii() and base.isprintable() and all(one in ACCENTS for one in accents):
        found = _sign(base)
        for one in accents:
            found = rf"\{ACCENTS[one]}{{{found}}}"
        return found
    return f"U+{ord(sign):04X}"
