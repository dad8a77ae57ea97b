"""Compares the room Images with Pillow and with transformers' processors on Pillow, number by number.

    python3 Tests/Interop/images/images.py PROBE [--count N] [--seed S] [--fixtures FOLDER] [PART ...]

PROBE is the program of probe.swift. Parts: png, jpeg, resize, processors, damage, writing, fixtures; all where none is named. Needs Pillow,
NumPy, torch, torchvision and transformers (5.23.0). Ends with 1 where anything differs.
"""

import argparse
import io
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import warnings
import zlib

import numpy as np
import PIL.Image
import PIL.ImageOps

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
warnings.filterwarnings("ignore")
FILTERS = ["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"]


class Probe:
    def __init__(self, program, folder):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.output = str(folder / "output")

    def ask(self, **request):
        request["output"] = self.output
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the probe ended at {request}")
        return json.loads(line)

    def bytes(self):
        return pathlib.Path(self.output).read_bytes()


class Tally:
    def __init__(self, name):
        self.name, self.equal, self.different = name, 0, []

    def add(self, same, what):
        if same:
            self.equal += 1
        else:
            self.different.append(what)

    def tell(self):
        print(f"{self.name}: {self.equal} equal, {len(self.different)} different", flush=True)
        for what in self.different[:8]:
            print("   ", what)
        return not self.different


def picture(generator, width, height):
    """Noise, smooth ramps or large blocks: what resizing meets."""
    kind = generator.integers(4)
    if kind == 0:
        return generator.integers(0, 256, (height, width, 3), dtype=np.uint8)
    if kind == 1:
        return (generator.integers(0, 2, (height, width, 3)) * 255).astype(np.uint8)
    y, x = np.mgrid[0:height, 0:width]
    if kind == 2:
        parts = [(x * a + y * b + c) % 256 for a, b, c in generator.integers(1, 9, (3, 3))]
        return np.stack(parts, -1).astype(np.uint8)
    blocks = generator.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    return blocks[y // 8, x // 8]


def side(generator, largest):
    return int(generator.integers(1, 9)) if generator.random() < 0.15 else int(generator.integers(1, largest + 1))


# PNG ---------------------------------------------------------------------------------------------------------------

def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def filtered(rows, distance, generator):
    """Each row behind the number of a filter chosen at random, and filtered by it."""
    result, above = b"", None
    for row in rows:
        kind = int(generator.integers(5))
        above = above if above is not None and len(above) == len(row) else bytes(len(row))
        line = bytearray()
        for i, value in enumerate(row):
            a = row[i - distance] if i >= distance else 0
            b, c = above[i], above[i - distance] if i >= distance else 0
            p = a + b - c
            nearest = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            line.append((value - (0, a, b, (a + b) // 2, nearest)[kind]) % 256)
        result += bytes([kind]) + bytes(line)
        above = row
    return result


def packed(samples, depth):
    """Rows of samples as bytes; samples is [height, width · samples of a pixel]."""
    rows = []
    for row in samples:
        bits = "".join(format(int(v), f"0{depth}b") for v in row)
        bits += "0" * (-len(bits) % 8)
        rows.append(int(bits, 2).to_bytes(len(bits) // 8, "big"))
    return rows


def write_png(generator, colour, depth, width, height, interlaced, transparency, exif):
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    colours = int(generator.integers(1, min(256, 1 << depth) + 1)) if colour == 3 else 1 << depth
    if colour == 0 and depth == 16:
        colours = 256  # more is refused
    samples = generator.integers(0, colours, (height, width, channels))
    if generator.random() < 0.5:
        samples = np.where(generator.random((height, width, 1)) < 0.5, samples, samples[:1, :1])
    distance = max(1, channels * depth // 8)
    flat = lambda s: s.reshape(s.shape[0], -1)
    if interlaced:
        data = b""
        for x, y, dx, dy in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]:
            part = samples[y::dy, x::dx]
            if part.size:
                data += filtered(packed(flat(part), depth), distance, generator)
    else:
        data = filtered(packed(flat(samples), depth), distance, generator)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))
    content += chunk(b"gAMA", struct.pack(">I", int(generator.integers(20000, 100000))))
    if colour == 3:
        content += chunk(b"PLTE", generator.integers(0, 256, 3 * colours, dtype=np.uint8).tobytes())
    if transparency and colour == 3:
        content += chunk(b"tRNS", generator.integers(0, 256, int(generator.integers(1, colours + 1)), dtype=np.uint8).tobytes())
    elif transparency and colour in (0, 2):
        content += chunk(b"tRNS", struct.pack(f">{channels}H", *[int(v) for v in samples[0, 0]]))
    if exif:
        content += chunk(b"eXIf", exif_bytes(exif)[6:])
    level, strategy = int(generator.integers(0, 10)), int(generator.integers(0, 5))
    compressor = zlib.compressobj(level, zlib.DEFLATED, int(generator.integers(9, 16)), 8, strategy)
    compressed = compressor.compress(data) + compressor.flush()
    while compressed:
        size = int(generator.integers(1, len(compressed) + 1))
        content += chunk(b"IDAT", compressed[:size])
        compressed = compressed[size:]
    return content + chunk(b"IEND", b"")


def exif_bytes(orientation):
    order = "<" if orientation % 2 else ">"
    head = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    return b"Exif\0\0" + head + struct.pack(order + "IH", 8, 1) + entry + struct.pack(order + "I", 0)


def reference(file, transparency):
    image = PIL.ImageOps.exif_transpose(PIL.Image.open(file))
    if transparency == "dropped":
        return np.array(image.convert("RGB"))
    from transformers.image_transforms import convert_to_rgb
    return convert_to_rgb(image, return_numpy=True)


def compare_reading(probe, tally, file, what):
    for transparency in ("dropped", "overWhite"):
        expected = reference(file, transparency)
        answer = probe.ask(do="read", file=str(file), transparency=transparency)
        same = "error" not in answer and (answer["height"], answer["width"]) == expected.shape[:2] \
            and probe.bytes() == expected.tobytes()
        tally.add(same, (what, transparency, answer))


def png(probe, generator, folder, count):
    tally = Tally("PNG")
    kinds = [(0, d) for d in (1, 2, 4, 8, 16)] + [(3, d) for d in (1, 2, 4, 8)] + [(c, d) for c in (2, 4, 6) for d in (8, 16)]
    file = folder / "a.png"
    for index in range(count):
        colour, depth = kinds[index % len(kinds)]
        size = side(generator, 40), side(generator, 40)
        interlaced, transparency = int(generator.integers(2)), bool(generator.integers(2))
        if transparency and (colour, depth) in [(0, 2), (0, 4), (0, 16), (2, 16)]:
            transparency = False  # Pillow compares the colour with levels that it has scaled; PNG says the stored ones
        exif = int(generator.integers(1, 9)) if generator.random() < 0.3 else 0
        file.write_bytes(write_png(generator, colour, depth, *size, interlaced, transparency, exif))
        compare_reading(probe, tally, file, (colour, depth, size, interlaced, transparency, exif))
    return tally.tell()


def jpeg(probe, generator, folder, count):
    tally = Tally("JPEG")
    file = folder / "a.jpg"
    for index in range(count):
        size = side(generator, 90), side(generator, 90)
        image = PIL.Image.fromarray(picture(generator, *size))
        mode = ["RGB", "RGB", "RGB", "L", "CMYK"][index % 5]
        options = {"quality": int(generator.integers(1, 101)), "progressive": bool(generator.integers(2)),
                   "subsampling": int(generator.integers(3)), "optimize": bool(generator.integers(2))}
        if generator.random() < 0.4:
            options["exif"] = exif_bytes(int(generator.integers(1, 9)))
        if generator.random() < 0.3:
            said = generator.integers(0, 10)
            packet = [b'<a tiff:Orientation="%d"/>', b"<tiff:Orientation>%d</tiff:Orientation>"][generator.integers(2)] % said
            options["xmp"] = b"<x>" + packet + b"</x>"
        if generator.random() < 0.2:
            options["restart_marker_blocks"] = int(generator.integers(1, 9))
        if mode == "RGB" and generator.random() < 0.2:
            options["keep_rgb"] = True
            options.pop("subsampling")
        image.convert(mode).save(file, "jpeg", **options)
        compare_reading(probe, tally, file, (size, mode, options))
    return tally.tell()


# Resizing ----------------------------------------------------------------------------------------------------------

def resize(probe, generator, folder, count):
    tally = Tally("resizing")
    file = folder / "levels"
    for index in range(count):
        largest = [24, 120, 400][index // 6 % 3]
        size, target = (side(generator, largest), side(generator, largest)), (side(generator, largest), side(generator, largest))
        if generator.random() < 0.1:
            target = (size[0], target[1]) if generator.random() < 0.5 else (target[0], size[1])
        pixels = picture(generator, *size)
        file.write_bytes(pixels.tobytes())
        kind = index % 6
        expected = np.array(PIL.Image.fromarray(pixels).resize(target, kind))
        answer = probe.ask(do="resize", file=str(file), **{"from": list(size)}, width=target[0], height=target[1], filter=kind)
        tally.add("error" not in answer and probe.bytes() == expected.tobytes(), (size, target, FILTERS[kind], answer))
    return tally.tell()


# Processors --------------------------------------------------------------------------------------------------------

def reference_class(name):
    import transformers
    import transformers.models.auto.image_processing_auto as auto
    value = auto.get_image_processor_class_from_name(name + "Pil") or auto.get_image_processor_class_from_name(name)
    if name == "Llama4ImageProcessor":
        return on_pillow(value)
    return value


def on_pillow(value):
    """Llama 4's class is written for torchvision alone: here its resizing is Pillow's, as that of the others is."""
    import torch

    class OnPillow(value):
        def resize(self, image, size, resample=None, **kwargs):
            results = [PIL.Image.fromarray(one.permute(1, 2, 0).numpy()).resize((size.width, size.height), int(resample))
                       for one in image]
            return torch.stack([torch.from_numpy(np.array(one)).permute(2, 0, 1) for one in results])
    return OnPillow


def configurations(generator):
    """Settings of every class that the table knows, small enough to be quick."""
    def edge(low, high):
        return int(generator.integers(low, high))
    def square(value):
        return {"height": value, "width": value}
    def flag():
        return bool(generator.integers(2))
    filter = {"resample": int(generator.integers(6))}
    rectangle = {"height": edge(4, 60), "width": edge(4, 60)}
    yield "CLIPImageProcessor", filter | {"size": {"shortest_edge": edge(4, 60)}, "crop_size": rectangle}
    yield "CLIPImageProcessor", {"size": edge(4, 60), "crop_size": edge(4, 70), "do_resize": flag()}
    yield "CLIPImageProcessor", {"use_square_size": True, "do_center_crop": False, "do_normalize": flag(), "do_rescale": flag()}
    yield "ViTImageProcessor", filter | {"size": rectangle, "do_convert_rgb": True}
    yield "SiglipImageProcessor", filter | {"size": rectangle, "image_mean": [0.1, 0.2, 0.3], "image_std": [0.3, 0.2, 0.7]}
    yield "BitImageProcessor", {"size": {"shortest_edge": edge(4, 30), "longest_edge": edge(31, 80)}, "do_center_crop": False}
    yield "BlipImageProcessor", {"size": {"max_height": edge(4, 60), "max_width": edge(4, 60)}}
    yield "DeiTImageProcessor", {"do_convert_rgb": True, "crop_size": rectangle, "size": square(edge(4, 60)),
                                 "do_pad": True, "pad_size": {"height": 70, "width": 80}}
    yield "LlavaImageProcessor", filter | {"do_pad": flag(), "size": {"shortest_edge": edge(4, 60)}, "crop_size": rectangle}
    yield "Gemma3ImageProcessor", filter | {
        "size": square(edge(8, 60)), "do_pan_and_scan": True, "pan_and_scan_min_crop_size": edge(5, 40),
        "pan_and_scan_max_num_crops": edge(1, 6), "pan_and_scan_min_ratio_to_activate": 1.2}
    tile = edge(8, 24)
    pins = [[tile * h, tile * w] for h, w in [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (1, 3), (2, 3)]]
    yield "LlavaNextImageProcessor", filter | {
        "size": {"shortest_edge": tile}, "crop_size": square(tile), "image_grid_pinpoints": pins}
    yield "LlavaNextImageProcessor", {"size": square(tile), "do_center_crop": False, "crop_size": square(tile),
                                      "image_grid_pinpoints": pins[1:]}
    yield "LlavaOnevisionImageProcessor", filter | {"size": square(tile), "image_grid_pinpoints": pins}
    yield "Idefics2ImageProcessor", filter | {
        "do_image_splitting": flag(), "size": {"shortest_edge": edge(4, 30), "longest_edge": edge(31, 80)}}
    for name in ("Idefics3ImageProcessor", "SmolVLMImageProcessor"):
        yield name, filter | {"size": {"longest_edge": tile * edge(1, 5)}, "max_image_size": {"longest_edge": tile}}
        yield name, {"size": {"longest_edge": edge(9, 70)}, "max_image_size": {"longest_edge": tile},
                     "do_image_splitting": flag(), "do_resize": flag()}
    yield "MllamaImageProcessor", filter | {"size": square(tile), "max_image_tiles": edge(1, 9)}
    yield "Llama4ImageProcessor", filter | {"size": square(tile), "max_patches": edge(1, 17), "resize_to_max_canvas": flag()}
    yield "GotOcr2ImageProcessor", filter | {
        "size": rectangle, "crop_to_patches": flag(), "min_patches": edge(1, 4), "max_patches": edge(1, 13)}
    patch = edge(3, 9)
    yield "Qwen2VLImageProcessor", filter | {"patch_size": patch, "merge_size": edge(1, 4), "temporal_patch_size": edge(1, 4),
                                             "size": {"shortest_edge": edge(200, 2000), "longest_edge": edge(2000, 9000)}}
    yield "Qwen2VLImageProcessor", {"patch_size": patch, "min_pixels": edge(200, 2000), "max_pixels": edge(2000, 9000)}
    yield "Glm4vImageProcessor", filter | {"patch_size": patch, "merge_size": edge(1, 4),
                                           "size": {"shortest_edge": edge(400, 4000), "longest_edge": edge(8000, 20000)}}
    yield "PixtralImageProcessor", filter | {"size": {"longest_edge": edge(9, 120)}, "patch_size": square(patch)}
    yield "Siglip2ImageProcessor", filter | {"patch_size": patch, "max_num_patches": edge(1, 90), "do_convert_rgb": True}
    yield "Gemma4ImageProcessor", filter | {"patch_size": edge(2, 5), "max_soft_tokens": 70, "pooling_kernel_size": edge(1, 4),
                                            "do_normalize": flag()}


def expected_values(name, result, visible):
    """The reference's numbers for one picture without the padding that only batches need."""
    values = np.asarray(result["pixel_values"].float() if hasattr(result["pixel_values"], "float") else result["pixel_values"])
    if name == "MllamaImageProcessor":
        return values[0, 0, : result["num_tiles"][0][0]]
    if name in ("Idefics2ImageProcessor", "Idefics3ImageProcessor", "SmolVLMImageProcessor"):
        return values[0]
    if name in ("LlavaNextImageProcessor", "LlavaOnevisionImageProcessor"):
        return values[0]
    if name == "Llama4ImageProcessor":
        return values.reshape(-1, *values.shape[-3:])
    if name == "Siglip2ImageProcessor":
        return values[0][np.asarray(result["pixel_attention_mask"])[0] == 1]
    if name == "Gemma4ImageProcessor":
        return values[0][(np.asarray(result["image_position_ids"])[0] >= 0).all(-1)]
    return values


def compare_processing(probe, tally, name, settings, file, what):
    processor = reference_class(name)(**settings)
    image = PIL.Image.open(file)
    try:
        result = processor(image, return_tensors="pt")
        if not processor.do_convert_rgb and image.mode != "RGB":
            return
    except Exception as error:
        result = error
    answer = probe.ask(do="process", files=[str(file)], configuration={"image_processor_type": name} | settings)
    if isinstance(result, Exception) or "error" in answer:
        tally.add(isinstance(result, Exception) and "error" in answer, (name, settings, what, answer, repr(result)))
        return
    ours = answer["pictures"][0]
    values = np.frombuffer(probe.bytes(), np.float32).reshape(ours["shape"])
    expected = expected_values(name, result, ours["visible"])
    same = values.shape == expected.shape and values.tobytes() == expected.astype(np.float32).tobytes()
    if name == "MllamaImageProcessor":
        same = same and ours["canvas"] == int(result["aspect_ratio_ids"][0, 0])
    if name in ("Qwen2VLImageProcessor", "Glm4vImageProcessor"):
        same = same and [1] + ours["grid"] == result["image_grid_thw"][0].tolist()
    if name == "Gemma4ImageProcessor":
        same = same and ours["rows"] == int(result["num_soft_tokens_per_image"][0])
    if name in ("Idefics2ImageProcessor",):
        mask = np.asarray(result["pixel_attention_mask"])[0]
        same = same and [[int(m.any(1).sum()), int(m.any(0).sum())] for m in mask] == ours["visible"]
    detail = f"shapes {values.shape} {expected.shape}"
    if values.shape == expected.shape and not same:
        detail = f"largest difference {np.abs(values - expected).max()}"
    tally.add(same, (name, settings, what, detail))


def processors(probe, generator, folder, count):
    tally = Tally("processors")
    file = folder / "a.png"
    index = 0
    while index < count:
        for name, settings in configurations(generator):
            size = side(generator, 150), side(generator, 150)
            mode = ["RGB", "RGB", "RGB", "L", "RGBA"][int(generator.integers(5))]
            image = PIL.Image.fromarray(picture(generator, *size)).convert(mode)
            if mode == "RGBA":
                image.putalpha(PIL.Image.fromarray(generator.integers(0, 256, size[::-1], dtype=np.uint8)))
            image.save(file, compress_level=1)
            compare_processing(probe, tally, name, settings, file, (size, mode))
            index += 1
    return tally.tell()


# Damage ------------------------------------------------------------------------------------------------------------

def mended(content):
    """The checksums of a PNG file's chunks made anew, as far as its chunks can be followed."""
    content, at = bytearray(content), 8
    while at + 12 <= len(content):
        length = int.from_bytes(content[at:at + 4], "big")
        if length > len(content) - at - 12:
            break
        content[at + 8 + length:at + 12 + length] = struct.pack(">I", zlib.crc32(content[at + 4:at + 8 + length]))
        at += 12 + length
    return bytes(content)


def damage(probe, generator, folder, count):
    """Truncated and changed files: every answer is a picture or a sentence, and memory stays bounded."""
    fine = True
    for kind in ("png", "jpg"):
        file = folder / f"a.{kind}"
        answers = {"pictures": 0}
        for index in range(count):
            if index % 50 == 0:
                size = side(generator, 60), side(generator, 60)
                if kind == "png":
                    colour, depth = [(0, 8), (2, 8), (3, 4), (4, 16), (6, 8)][index // 50 % 5]
                    content = write_png(generator, colour, depth, *size, int(generator.integers(2)), True, 0)
                else:
                    image = PIL.Image.fromarray(picture(generator, *size)).convert(["RGB", "L", "CMYK"][index // 50 % 3])
                    image.save(file, "jpeg", quality=60, progressive=bool(generator.integers(2)))
                    content = file.read_bytes()
            changed = bytearray(content)
            for _ in range(int(generator.integers(1, 6))):
                changed[int(generator.integers(len(changed)))] = int(generator.integers(256))
            if index % 4 == 0:
                changed = changed[:int(generator.integers(len(changed) + 1))]
            file.write_bytes(mended(changed) if kind == "png" and index % 2 else bytes(changed))
            answer = probe.ask(do="read", file=str(file), transparency="overWhite")
            key = answer.get("error", "").split("error: ")[-1].translate(str.maketrans("", "", "0123456789")) or "pictures"
            answers[key] = answers.get(key, 0) + 1
        status = pathlib.Path(f"/proc/{probe.process.pid}/status").read_text()
        peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
        fine = fine and peak < 1500
        print(f"damage, {kind}: {count} files, {answers['pictures']} still pictures, {len(answers) - 1} kinds of sentences, "
              f"largest memory {peak:.0f} MiB")
    return fine


# Writing -----------------------------------------------------------------------------------------------------------

def writing(probe, generator, folder, count):
    tally = Tally("written PNG")
    file = folder / "levels"
    for index in range(count):
        size = side(generator, 200), side(generator, 200)
        pixels = picture(generator, *size)
        file.write_bytes(pixels.tobytes())
        probe.ask(do="write", file=str(file), **{"from": list(size)})
        tally.add(np.array(PIL.Image.open(io.BytesIO(probe.bytes()))).tobytes() == pixels.tobytes(), size)
    return tally.tell()


# Fixtures ----------------------------------------------------------------------------------------------------------

def fixtures(probe, folder, root):
    from safetensors.numpy import load_file
    tally = Tally("fixtures")
    images = root / "images"
    for place in sorted((root / "preprocess").iterdir()):
        configuration = json.loads((place / "preprocessor_config.json").read_text())
        expected = load_file(place / "expected-pil.safetensors")
        for key in [key for key in expected if key.endswith("pixel_values")]:
            answer = probe.ask(do="process", files=[str(images / key.rsplit("/", 1)[0])], configuration=configuration)
            same = "error" not in answer and probe.bytes() == expected[key].astype(np.float32).tobytes()
            tally.add(same, (place.name, key, answer, expected[key].shape))
    for place in sorted(root.iterdir()):
        if not (place / "preprocessor_config.json").exists():
            continue
        configuration = json.loads((place / "preprocessor_config.json").read_text())
        expected = load_file(place / "expected.safetensors")["pixel_values"]
        names = json.loads((place / "meta.json").read_text())["images"]
        rows = [row if isinstance(row, list) else [row] for row in names]
        start = 0
        for index, row in enumerate(rows):
            answer = probe.ask(do="process", files=[str(images / name) for name in row], configuration=configuration)
            values = np.frombuffer(probe.bytes(), np.float32)
            shapes = [picture["shape"] for picture in answer["pictures"]]
            tiles = sum(shape[0] for shape in shapes)
            if expected.ndim == 6:
                parts = [expected[index, i, : shape[0]] for i, shape in enumerate(shapes)]
                rest = [expected[index, i, shape[0]:] for i, shape in enumerate(shapes)]
            elif expected.ndim == 5:
                parts, rest = [expected[index, :tiles]], [expected[index, tiles:]]
            else:
                parts, rest = [expected[start:start + tiles]], []
            start += tiles
            same = values.tobytes() == b"".join(part.tobytes() for part in parts) and not any(r.any() for r in rest)
            tally.add(same, (place.name, row, answer, expected.shape))
        if expected.ndim < 5:
            tally.add(start == len(expected), (place.name, "tiles", start, expected.shape))
    return tally.tell()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("probe")
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fixtures", type=pathlib.Path)
    options = parser.parse_args()
    parts = options.parts or ["png", "jpeg", "resize", "processors", "damage", "writing", "fixtures"]
    fine = True
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        probe = Probe(options.probe, folder)
        for part in parts:
            if part == "fixtures":
                if options.fixtures:
                    fine = fixtures(probe, folder, options.fixtures) and fine
                continue
            run = {"png": png, "jpeg": jpeg, "resize": resize, "processors": processors, "damage": damage,
                   "writing": writing}[part]
            fine = run(probe, np.random.default_rng(options.seed), folder, options.count) and fine
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
