import Essentials
import Files
import Images

// Answers lines of JSON with lines of JSON, and writes numbers into files, for the Python scripts beside it.
//   {"do": "read", "file": …, "transparency": "dropped", "output": …}
//   {"do": "resize", "file": …, "width": …, "height": …, "filter": 3, "output": …}      (of raw RGB: "from": [w, h])
//   {"do": "write", "file": …, "from": [w, h], "output": …}
//   {"do": "scene", "seed": 1, "index": 0, "side": 64, "output": …}
//   {"do": "process", "files": […], "configuration": {…}, "output": …}
func answer(_ request: JSONValue) throws -> JSONValue {
  func text(_ key: String) -> String { request[key]?.string ?? "" }
  func number(_ key: String) -> Int { request[key]?.integer ?? 0 }
  func write(_ bytes: some Collection<UInt8>) throws {
    guard let file = fopen(text("output"), "w") else { throw SystemError(number: errno) }
    _ = Array(bytes).withUnsafeBytes { fwrite($0.baseAddress, 1, $0.count, file) }
    fclose(file)
  }
  switch text("do") {
  case "read":
    let policy: Transparency = text("transparency") == "dropped" ? .dropped : .overWhite
    let picture = try Picture(contentsOf: text("file"), transparency: policy)
    try write(picture.levels)
    return ["width": .integer(picture.width), "height": .integer(picture.height)]
  case "resize":
    let size = request["from"]?.array?.compactMap(\.integer) ?? []
    let levels = try MappedFile(path: text("file"))
    let picture = Picture(width: size[0], height: size[1], levels: Array(levels.bytes))
    let target = PictureSize(width: number("width"), height: number("height"))
    guard let filter = ResamplingFilter(rawValue: number("filter")) else { return ["error": "no filter"] }
    try write(picture.resized(to: target, filter).levels)
    return [:]
  case "write":
    let size = request["from"]?.array?.compactMap(\.integer) ?? []
    let levels = try MappedFile(path: text("file"))
    try write(Picture(width: size[0], height: size[1], levels: Array(levels.bytes)).png)
    return [:]
  case "scene":
    let scene = DrawnScene(seed: UInt64(number("seed")), index: number("index"), side: number("side"))
    try write(scene.picture.png)
    return ["lines": .array(scene.lines(path: text("output")).map { .string($0) })]
  case "process":
    let processor = try ImageProcessor(configuration: request["configuration"] ?? .null, name: "configuration")
    let files = request["files"]?.array?.compactMap(\.string) ?? []
    let processed = try processor.process(files: files)
    var bytes: [UInt8] = []
    var described: [JSONValue] = []
    for picture in processed {
      picture.values.withUnsafeBytes { bytes += $0 }
      described.append([
        "shape": .array(picture.shape.map { .integer($0) }),
        "grid": [.integer(picture.grid.rows), .integer(picture.grid.columns)],
        "canvas": picture.canvas.map { .integer($0) } ?? .null, "rows": picture.rows.map { .integer($0) } ?? .null,
        "visible": .array(picture.visible.map { [.integer($0.height), .integer($0.width)] }),
        "original": [.integer(picture.original.height), .integer(picture.original.width)],
      ])
    }
    try write(bytes)
    return ["pictures": .array(described)]
  default: return ["error": "unknown request"]
  }
}

while let line = readLine() {
  do {
    print(try answer(JSONValue(parsing: line, name: "request")).serialized())
  } catch {
    print(
      JSONValue.object(["error": .string("\(error)")].reduce(into: JSONObject()) { $0[$1.key] = $1.value }).serialized()
    )
  }
  fflush(nil)
}
