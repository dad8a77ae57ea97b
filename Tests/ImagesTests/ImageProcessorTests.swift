import Files
import Foundation
import Images
import Testing

/// Image processors, compared with transformers 5.23.0 on Pillow 13.0.0 bit for bit.
@Suite struct ImageProcessorTests {
  @Test("a processor gives the numbers of the class that its file names", arguments: Vectors.all("processing"))
  func equalsReference(vector: JSONValue) throws {
    let processor = try ImageProcessor(
      configuration: vector["configuration"] ?? .null, name: "preprocessor_config.json")
    let size = try #require(vector["size"]?.sides)
    let processed = try processor.process(Vectors.picture(size[0], size[1]))
    #expect(processed.shape == vector["shape"]?.sides)
    #expect(Vectors.check(processed.values) == vector["crc"]?.integer)
    #expect(processed.original == PictureSize(width: size[0], height: size[1]))
  }

  @Test("there are vectors of every class with a layout of its own")
  func vectorsAreThere() {
    let classes = Set(Vectors.all("processing").compactMap { $0["configuration"]?["image_processor_type"]?.string })
    #expect(classes.count == 21)
    #expect(Vectors.all("unpadding").count > 50)
  }

  @Test("padding is taken off a grid of patches as the reference does", arguments: Vectors.all("unpadding"))
  func unpadding(vector: JSONValue) throws {
    let (size, patches) = (try #require(vector["size"]?.sides), try #require(vector["patches"]?.sides))
    let grid = ProcessedPicture.unpadded(
      ImageGrid(rows: patches[0], columns: patches[1]), showing: PictureSize(width: size[0], height: size[1]))
    #expect([grid.rows, grid.columns] == vector["unpadded"]?.sides)
  }

  private func problem(_ text: String) throws -> String {
    do throws(FileProblem) {
      _ = try ImageProcessor(configuration: JSONValue(parsing: text), name: "p.json")
      return "none"
    } catch {
      return error.description
    }
  }

  @Test("a class, a key or a value that is not known is refused by name")
  func refuses() throws {
    #expect(
      try problem("{}") == "p.json: error: 'image_processor_type' is missing, which names the class of processor")
    #expect(
      try problem(#"{"image_processor_type": "NoSuchProcessor"}"#)
        .hasPrefix("p.json: error: no image processor is called 'NoSuchProcessor'; known are BitImageProcessor, "))
    #expect(
      try problem(#"{"image_processor_type": "CLIPImageProcessor", "do_sharpen": true}"#)
        == "p.json: error: 'do_sharpen' is no setting of this image processor, and what it would change is not known")
    #expect(
      try problem(#"{"image_processor_type": "CLIPImageProcessor", "resample": 9}"#)
        == "p.json: error: 'resample' is 9; expected a filter of Pillow: 0 (nearest), 1 (lanczos), 2 (bilinear), "
        + "3 (bicubic), 4 (box), 5 (hamming)")
    #expect(
      try problem(#"{"image_processor_type": "CLIPImageProcessor", "image_std": [0.5, 0, 0.5]}"#)
        == "p.json: error: 'image_std' is [0.5,0,0.5]; expected numbers other than 0")
    #expect(
      try problem(#"{"image_processor_type": "CLIPImageProcessor", "size": {"height": 3}}"#)
        == "p.json: error: 'size' is {\"height\":3}; expected a size such as {\"height\": 224, \"width\": 224} or "
        + "{\"shortest_edge\": 224}")
    #expect(try problem("[1]") == "p.json: error: an array instead of the settings of an image processor")
    #expect(try problem(#"{"image_processor_type": "CLIPImageProcessor", "size": 1e300}"#).contains("'size' is 1e+300"))
  }

  @Test(
    "older and other names of a class are the class",
    arguments: [
      #""image_processor_type": "CLIPImageProcessorFast""#, #""image_processor_type": "CLIPImageProcessorPil""#,
      #""feature_extractor_type": "CLIPFeatureExtractor""#,
    ])
  func otherNames(name: String) throws {
    let text =
      "{\(name), \"processor_class\": \"CLIPProcessor\", \"do_resize\": null, \"aspect_ratio_setting\": \"anyres\"}"
    let processor = try ImageProcessor(configuration: JSONValue(parsing: text), name: "p.json")
    #expect(try processor.process(Vectors.picture(30, 20)).shape == [1, 3, 224, 224])
  }

  @Test("a layout is used without a class, and needs every setting")
  func layoutAlone() throws {
    let settings: JSONValue = [
      "do_resize": true, "size": ["height": 4, "width": 6], "resample": "bicubic", "do_rescale": true,
      "rescale_factor": 0.5, "image_seq_length": 6,
    ]
    let processor = try ImageProcessor(
      layout: "resize", settings: try #require(settings.object), name: "images")
    let processed = try processor.process(Vectors.picture(6, 4))
    #expect(processed.shape == [1, 3, 4, 6])
    #expect(processed.values[..<3] == [0, 3.5, 7])
    #expect(processor.rowsPerPicture == 6)
    #expect(throws: FileProblem.self) { try ImageProcessor(layout: "resize", settings: ["do_resize": true], name: "a") }
    #expect(throws: FileProblem.self) { try ImageProcessor(layout: "fold", settings: [:], name: "a") }
  }

  @Test("a picture that no size fits is refused before memory is taken")
  func tooNarrow() throws {
    func processed(_ text: String, _ width: Int, _ height: Int) throws -> String {
      let processor = try ImageProcessor(configuration: JSONValue(parsing: text), name: "p.json")
      do throws(PictureProblem) {
        _ = try processor.process(Vectors.picture(width, height))
        return "none"
      } catch {
        return error.sentence
      }
    }
    #expect(
      try processed(#"{"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 4000}}"#, 100, 1)
        == "a picture of 100×1 pixels would be resized to 400000×4000, more than 67108864 pixels")
    #expect(
      try processed(#"{"image_processor_type": "Qwen2VLImageProcessor"}"#, 201, 1)
        == "a picture of 201×1 pixels is more than 200 times as long as wide")
    #expect(
      try processed(#"{"image_processor_type": "Qwen2VLImageProcessor", "do_resize": false}"#, 56, 30)
        == "a picture of 56×30 pixels is not made of squares of 28 pixels")
    #expect(
      try processed(#"{"image_processor_type": "CLIPImageProcessor", "do_resize": false, "crop_size": 100000}"#, 5, 5)
        .hasPrefix("a picture of 5×5 pixels would be resized to 100000×100000, more than"))
  }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self.init()
    for (key, value) in elements { self[key] = value }
  }
}
