import Essentials
import Files

/// Makes of pictures what an image encoder reads, as transformers' processors on Pillow do, bit for bit.
///
/// What it does is data: the settings of a `preprocessor_config.json`, the defaults of the class that the file names,
/// and one of the layouts, which say how a picture is cut. No class is known here; `Processors.json` lists them.
public struct ImageProcessor: Sendable {
  private var layout: any ImageLayout
  private let scale: LevelScale
  private let transparency: Transparency
  /// The rows that a language model reads for each picture, where the settings give a number (`image_seq_length`).
  public let rowsPerPicture: Int?
  /// The settings, with the defaults of their class.
  public private(set) var settings: JSONObject
  /// What the settings are called in messages.
  private let name: String

  /// The processor of a model's folder: `image_processor` in its `processor_config.json` where that is there, else
  /// `preprocessor_config.json`.
  ///
  /// Throws where there is neither, and as `init(configuration:name:)` does.
  public init(folder: String) throws(FileProblem) {
    let combined = folder + "/processor_config.json"
    if FileManager.default.fileExists(atPath: combined) {
      let value = try JSONValue(contentsOf: combined, literals: true)
      if let inner = value["image_processor"], !inner.isNull {
        try self.init(configuration: inner, name: combined)
        return
      }
    }
    let path = folder + "/preprocessor_config.json"
    try self.init(configuration: JSONValue(contentsOf: path, literals: true), name: path)
  }

  /// The processor of a `preprocessor_config.json`, which is called `name` in messages.
  ///
  /// Throws where the class that it names is not known, where the class knows a key of it not, and where a value is none
  /// of those that the key may have.
  public init(configuration: JSONValue, name: String) throws(FileProblem) {
    guard let object = configuration.object else {
      throw FileProblem(path: name, sentence: "\(configuration.kind) instead of the settings of an image processor")
    }
    let processor = try ProcessorClass.named(in: object, name: name)
    try self.init(layout: processor.layout, settings: processor.settings(object, name: name), name: name)
  }

  /// A processor of the layout called `layout` with the given settings, which are all that it knows: nothing has a
  /// default. `name` is what they are called in messages.
  public init(layout: String, settings: JSONObject, name: String) throws(FileProblem) {
    guard let kind = ImageLayouts.all.first(where: { $0.name == layout })?.layout else {
      let names = ImageLayouts.all.map(\.name).joined(separator: ", ")
      throw FileProblem(path: name, sentence: "no layout of images is called '\(layout)'; there are \(names)")
    }
    let read = ImageSettings(settings, name: name)
    self.layout = try kind.init(read)
    scale = try LevelScale(read)
    transparency = try read.bool("do_convert_rgb") ? .overWhite : .dropped
    rowsPerPicture = read["image_seq_length"] == nil ? nil : try read.positive("image_seq_length")
    self.settings = settings
    self.name = name
  }

  /// The same processor with sides that are multiples of `side` pixels, as a model of texts and pictures says to it whose blocks of
  /// patches become one row; itself where it cuts nothing by patches, or where its own settings say how many become a row.
  public func cutting(patches side: Int) throws(FileProblem) -> ImageProcessor {
    guard settings["patch_size"] != nil, settings["pooling_kernel_size"] == nil else { return self }
    var (settings, processor) = (self.settings, self)
    settings["patch_size"] = ["height": .integer(side), "width": .integer(side)]
    processor.settings = settings
    processor.layout = try type(of: layout).init(ImageSettings(settings, name: name))
    return processor
  }

  /// The keys that settings of the layout called `layout` may have; none where there is no such layout.
  public static func keys(ofLayout layout: String) throws(FileProblem) -> Set<String> {
    try ProcessorClass.keys(ofLayout: layout)
  }

  /// What an encoder reads for the pictures in `files`, which belong to one text.
  ///
  /// Throws where one cannot be read, or is too small, too large or too narrow for the settings.
  public func process(files: [String], limit: Int = Picture.pixelLimit) throws(FileProblem) -> [ProcessedPicture] {
    var processed: [ProcessedPicture] = []
    for file in files {
      let picture = try Picture(contentsOf: file, transparency: transparency, limit: limit)
      do throws(PictureProblem) {
        processed.append(try process(picture, of: files.count))
      } catch {
        throw FileProblem(path: file, offset: error.offset, sentence: error.sentence)
      }
    }
    return processed
  }

  /// What an encoder reads for pictures that came as the bytes of `files`, which belong to one text; throws as above, and numbers them
  /// from 1.
  public func process(
    bytes files: [[UInt8]], limit: Int = Picture.pixelLimit
  ) throws(FileProblem) -> [ProcessedPicture] {
    var processed: [ProcessedPicture] = []
    for (index, file) in files.enumerated() {
      do throws(PictureProblem) {
        let picture = file.withUnsafeBytes { bytes in
          Result { () throws(PictureProblem) in try Picture(bytes, transparency: transparency, limit: limit) }
        }
        processed.append(try process(picture.get(), of: files.count))
      } catch {
        throw FileProblem(path: "picture \(index + 1)", offset: error.offset, sentence: error.sentence)
      }
    }
    return processed
  }

  /// What an encoder reads for `picture`, one of `count` that belong to one text.
  ///
  /// Throws where it is too small, too large or too narrow for the settings.
  public func process(_ picture: Picture, of count: Int = 1) throws(PictureProblem) -> ProcessedPicture {
    try ProcessedPicture(layout.arrange(picture, count: count), original: picture.size, scale: scale)
  }
}
