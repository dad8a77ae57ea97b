import Essentials
import Files

/// A class of image processors: its layout, the keys that it knows and their defaults.
///
/// From `Processors.json`, which `Tests/Interop/images/classes.py` writes from the classes of the reference itself.
struct ProcessorClass {
  let layout: String
  private let keys: Set<String>
  private let defaults: JSONObject

  /// Keys of a file that say where it comes from or how results are handed over, and change no number.
  private static let ignored: Set<String> = [
    "image_processor_type", "feature_extractor_type", "processor_class", "auto_map", "_valid_processor_keys",
    "model_input_names", "data_format", "input_data_format", "return_tensors", "device", "disable_grouping",
    "return_row_col_info", "use_fast", "backend",
    // Published files have these, and no class reads them for a picture.
    "aspect_ratio_setting", "video_sampling",
  ]

  /// The class that the settings `object` name.
  static func named(in object: JSONObject, name: String) throws(FileProblem) -> ProcessorClass {
    guard let written = object["image_processor_type"]?.string ?? object["feature_extractor_type"]?.string else {
      throw FileProblem(path: name, sentence: "'image_processor_type' is missing, which names the class of processor")
    }
    // Older files and other back ends call the same class otherwise.
    var type = written
    for suffix in ["Fast", "Pil"] where type.hasSuffix(suffix) { type = String(type.dropLast(suffix.count)) }
    if type.hasSuffix("FeatureExtractor") { type = type.dropLast("FeatureExtractor".count) + "ImageProcessor" }
    let classes = try all()
    guard let entry = classes[type], let layout = entry["layout"]?.string, let defaults = entry["defaults"]?.object
    else {
      throw FileProblem(
        path: name,
        sentence:
          "no image processor is called '\(written)'; known are \(classes.keys.sorted().joined(separator: ", "))")
    }
    let keys = entry["keys"]?.array?.compactMap(\.string) ?? []
    return ProcessorClass(layout: layout, keys: Set(keys), defaults: defaults)
  }

  /// The keys that classes of the layout called `layout` know.
  static func keys(ofLayout layout: String) throws(FileProblem) -> Set<String> {
    var known: Set<String> = []
    for (_, entry) in try all() where entry["layout"]?.string == layout {
      known.formUnion(entry["keys"]?.array?.compactMap(\.string) ?? [])
    }
    return known.subtracting(ignored)
  }

  private static func all() throws(FileProblem) -> JSONObject {
    let value = try JSONValue(
      parsing: String(decoding: PackageResources.Processors_json, as: UTF8.self), name: "Processors.json")
    return value["processors"]?.object ?? JSONObject()
  }

  /// The class's defaults with the values of `object` in their place; throws where it has a key that the class has not.
  func settings(_ object: JSONObject, name: String) throws(FileProblem) -> JSONObject {
    var settings = defaults
    for (key, value) in object {
      if keys.contains(key) {
        // A class takes its own default for what is null.
        if !value.isNull { settings[key] = value }
      } else if !Self.ignored.contains(key) {
        throw FileProblem(
          path: name, sentence: "'\(key)' is no setting of this image processor, and what it would change is not known")
      }
    }
    // A square of the side that the class itself has, whatever size the file gives.
    if settings["use_square_size"]?.bool == true, let side = defaults["size"]?["shortest_edge"] {
      settings["size"] = ["height": side, "width": side]
    }
    return settings
  }
}
