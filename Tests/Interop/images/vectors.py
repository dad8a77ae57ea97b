"""Writes Tests/ImagesTests/Vectors.json: small pictures and what Pillow and transformers' processors make of them.

    python3 Tests/Interop/images/vectors.py Tests/ImagesTests/Vectors.json

Needs what images.py needs. Numbers stand as CRC-32 of their bytes (levels as they are, processed numbers as float32).
"""

import base64
import json
import pathlib
import sys
import tempfile
import zlib

import numpy as np
import PIL.Image

import images


def formula(width, height):
    """The picture that the tests make too."""
    y, x, c = np.mgrid[0:height, 0:width, 0:3]
    return ((x * 7 + y * 13 + c * 29 + x * y * (c + 1)) % 256).astype(np.uint8)


def check(array):
    return zlib.crc32(np.ascontiguousarray(array).tobytes())


def main():
    generator = np.random.default_rng(21)
    result = {"made by": "Tests/Interop/images/vectors.py", "Pillow": PIL.__version__}
    sizes = [((1, 1), (5, 3)), ((7, 5), (3, 9)), ((20, 31), (20, 7)), ((33, 20), (7, 20)), ((40, 50), (38, 21)),
             ((50, 40), (21, 38)), ((64, 64), (17, 16)), ((13, 90), (60, 11)), ((90, 13), (11, 60)), ((200, 3), (1, 1))]
    result["resizing"] = [
        {"from": source, "to": target, "filter": name,
         "crc": check(np.array(PIL.Image.fromarray(formula(*source)).resize(target, kind)))}
        for source, target in sizes for kind, name in enumerate(images.FILTERS)]
    with tempfile.TemporaryDirectory() as name:
        file = pathlib.Path(name) / "a"
        reading = []

        def add(what, content):
            file.write_bytes(content)
            expected = [images.reference(file, policy) for policy in ("dropped", "overWhite")]
            reading.append({"name": what, "file": base64.b64encode(content).decode(),
                            "height": expected[0].shape[0], "width": expected[0].shape[1],
                            "dropped": check(expected[0]), "overWhite": check(expected[1])})

        kinds = [(0, d) for d in (1, 2, 4, 8, 16)] + [(3, d) for d in (1, 2, 4, 8)] + [(c, d) for c in (2, 4, 6) for d in (8, 16)]
        for colour, depth in kinds:
            for interlaced in (0, 1):
                transparent = (colour, depth) not in [(0, 2), (0, 4), (0, 16), (2, 16)]
                content = images.write_png(generator, colour, depth, 11, 9, interlaced, transparent, 0)
                add(f"PNG colour {colour} depth {depth} interlaced {interlaced}", content)
        for orientation in range(1, 9):
            add(f"PNG orientation {orientation}", images.write_png(generator, 2, 8, 5, 3, 0, False, orientation))
        for mode, options in [("RGB", {}), ("RGB", {"progressive": True}), ("RGB", {"subsampling": 0}),
                              ("RGB", {"subsampling": 1}), ("RGB", {"keep_rgb": True}), ("L", {}), ("CMYK", {}),
                              ("RGB", {"exif": images.exif_bytes(6)}), ("RGB", {"exif": images.exif_bytes(5)}),
                              ("RGB", {"xmp": b'<a tiff:Orientation="8"/>'}),
                              ("RGB", {"xmp": b'<a tiff:Orientation="8"/>', "exif": images.exif_bytes(1)})]:
            PIL.Image.fromarray(formula(37, 22)).convert(mode).save(file, "jpeg", quality=40, **options)
            add(f"JPEG {mode} {sorted(options)}", file.read_bytes())
        result["reading"] = reading

        processing = []
        for round in range(2):
            for kind, settings in images.configurations(generator):
                for size in ((37, 53), (150, 41)):
                    file = pathlib.Path(name) / "a.png"
                    PIL.Image.fromarray(formula(*size)).save(file)
                    try:
                        output = images.reference_class(kind)(**settings)(PIL.Image.open(file), return_tensors="pt")
                    except Exception as error:
                        print("left out:", kind, settings, size, error)
                        continue
                    values = images.expected_values(kind, output, None).astype(np.float32)
                    processing.append({"configuration": {"image_processor_type": kind} | settings, "size": size,
                                       "shape": values.shape, "crc": check(values)})
        result["processing"] = processing
    from transformers.models.llava_next.processing_llava_next import LlavaNextProcessor
    result["unpadding"] = []
    for _ in range(60):
        side, rows, columns = (int(v) for v in generator.integers(1, (30, 5, 5)))
        height, width = (int(v) for v in generator.integers(1, 2000, 2))
        if generator.random() < 0.3:
            height, width = 7 * rows * side, 7 * columns * side
        patches, newlines = LlavaNextProcessor._get_unpadded_features(None, height, width, side, side, rows, columns)
        if newlines > 0:
            result["unpadding"].append({"size": [width, height], "patches": [rows * side, columns * side],
                                        "unpadded": [newlines, patches // newlines]})
    lines = ",\n".join(
        f'"{key}": ' + ("[\n" + ",\n".join(json.dumps(item) for item in value) + "\n]" if isinstance(value, list)
                        else json.dumps(value)) for key, value in result.items())
    pathlib.Path(sys.argv[1]).write_text("{\n" + lines + "\n}\n")


main()
