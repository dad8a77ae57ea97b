"""The characters that Unicode normalisation changes, for Sources/Tokenization/Normalization/Normalization.txt.

    python3 Tests/Interop/unicode.py > Sources/Tokenization/Normalization/Normalization.txt

A line is `CHARACTER PARTS…` in hexadecimal (one step of decomposition; `~` before a compatible one, `!` before a canonical
one that is never composed again), or `=CLASS FIRST COUNT` for characters of one canonical combining class. Decompositions
never change once a character is assigned (https://www.unicode.org/policies/stability_policy.html), so the version of
Python does not matter: characters newer than Unicode 9 are left out when the table is read.
"""

import unicodedata

print(f"# Written by Tests/Interop/unicode.py from Unicode {unicodedata.unidata_version} (https://www.unicode.org/license.txt).")
classes = []
for value in range(0x110000):
    character = chr(value)
    if 0xAC00 <= value <= 0xD7A3 or 0xD800 <= value <= 0xDFFF:
        continue
    combining = unicodedata.combining(character)
    if combining:
        if classes and classes[-1][0] == combining and classes[-1][1] + classes[-1][2] == value:
            classes[-1][2] += 1
        else:
            classes.append([combining, value, 1])
    words = unicodedata.decomposition(character).split()
    if not words:
        continue
    kind = ""
    if words[0].startswith("<"):
        kind, words = "~", words[1:]
    elif unicodedata.normalize("NFC", character) != character:
        kind = "!"
    print(kind + f"{value:X}", *[f"{int(word, 16):X}" for word in words])
for combining, first, count in classes:
    print(f"={combining:X} {first:X} {count:X}")
