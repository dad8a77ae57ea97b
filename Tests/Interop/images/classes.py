"""Writes Sources/Images/Processors.json from the classes of transformers (5.23.0; also needs torch, torchvision, Pillow).

    python3 Tests/Interop/images/classes.py Sources/Images/Processors.json

A class belongs to a layout. Those that change nothing of the Pillow back end's own way need no entry below: they are
found. Defaults and keys are the class's own attributes.
"""

import importlib
import json
import pathlib
import sys

import transformers
from transformers.image_processing_backends import PilBackend, TorchvisionBackend

# Class (as files write it), its layout, settings that no file has but that tell it from others of its layout.
LAYOUTS = {
    "LlavaImageProcessor": ("square", {}),
    "Gemma3ImageProcessor": ("crops", {}),
    "LlavaNextImageProcessor": ("pinpoints", {}),
    "LlavaOnevisionImageProcessor": ("pinpoints", {"one_tile_each_of_several": True}),
    "Idefics2ImageProcessor": ("quarters", {}),
    "Idefics3ImageProcessor": ("tiles", {}),
    "SmolVLMImageProcessor": ("tiles", {}),
    "MllamaImageProcessor": ("canvas", {}),
    "Llama4ImageProcessor": ("chunks", {"arithmetic": "bfloat16"}),
    "GotOcr2ImageProcessor": ("closest_grid", {}),
    "Qwen2VLImageProcessor": ("merged_patches", {}),
    "Glm4vImageProcessor": ("merged_patches", {"bounds_count_frames": True}),
    "PixtralImageProcessor": ("whole_patches", {}),
    "Siglip2ImageProcessor": ("patch_budget", {}),
    "Gemma4ImageProcessor": ("soft_rows", {}),
}
# What decides what a back end does with pixels.
METHODS = [
    name for name in vars(PilBackend) if callable(getattr(PilBackend, name)) and name not in ("__init__", "to_dict")
] + ["_standardize_kwargs", "_validate_preprocess_kwargs", "_preprocess_image_like_inputs",
     "_prepare_image_like_inputs", "_prepare_images_structure", "preprocess", "__call__"]


def classes():
    models = pathlib.Path(transformers.__file__).parent / "models"
    for path in sorted(models.glob("*/image_processing*.py")):
        if path.parent.name == "auto":
            continue
        try:
            module = importlib.import_module(f"transformers.models.{path.parent.name}.{path.stem}")
        except Exception as error:  # a class whose own requirements are missing is told and left out
            print(f"left out: {path.name}: {error}", file=sys.stderr)
            continue
        for name in getattr(module, "__all__", []):
            value = getattr(module, name)
            if isinstance(value, type) and issubclass(value, (PilBackend, TorchvisionBackend)):
                yield name, value


def is_plain(value):
    def same(name):
        own = getattr(value, name, None)
        # Decorated without a change: only a call of the parent class.
        return own is getattr(PilBackend, name, None)
    return issubclass(value, PilBackend) and all(same(name) for name in METHODS) and value.__init__ is PilBackend.__init__


def plain_value(value):
    if hasattr(value, "items") or type(value).__name__ == "SizeDict":
        return {key: item for key, item in dict(value).items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [plain_value(item) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    return int(value) if isinstance(value, int) else value


def main():
    found = {}
    for name, value in classes():
        written = name[:-3] if name.endswith("Pil") else name
        if not name.endswith("Pil") and written != "Llama4ImageProcessor":
            continue
        # CLIP's own __init__ knows one more key, of which a file can make no other use than is made here.
        is_square = name == "CLIPImageProcessorPil"
        if written in LAYOUTS:
            layout, extra = LAYOUTS[written]
        elif is_plain(value) or is_square:
            layout, extra = "resize", {}
        else:
            continue
        keys = sorted(value.valid_kwargs.__annotations__)
        defaults = {key: plain_value(getattr(value, key, None)) for key in keys}
        defaults["default_to_square"] = value.default_to_square
        defaults["rescale_factor"] = value.rescale_factor
        defaults = {key: item for key, item in defaults.items() if item is not None} | extra
        if is_square:
            keys.append("use_square_size")
        found[written] = {"layout": layout, "keys": sorted(set(keys)), "defaults": defaults}
    text = {"source": f"transformers {transformers.__version__}, by Tests/Interop/images/classes.py",
            "processors": dict(sorted(found.items()))}
    lines = json.dumps({k: v for k, v in text.items() if k != "processors"})[:-1] + ', "processors": {\n'
    lines += ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in text["processors"].items()) + "\n}}\n"
    pathlib.Path(sys.argv[1]).write_text(lines)
    print(len(found), "classes:", {k: v["layout"] for k, v in found.items()})


main()
