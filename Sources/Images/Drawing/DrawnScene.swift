import Files

/// A drawn picture of shapes, of a number or of a word, with what can be asked about it.
public struct DrawnScene: Sendable {
  /// A question and its only answer.
  public struct Question: Sendable, Equatable {
    public let text: String
    public let answer: String
  }

  /// What a picture can be of.
  public enum Kind: String, Sendable, CaseIterable {
    case shapes
    case numbers
    case words
  }

  public let picture: Picture
  /// What the picture shows, in one phrase.
  public let caption: String
  /// Questions whose answer the picture alone decides; the first asks for the caption.
  public let questions: [Question]
  /// The same in another order, in which they are asked one after the other.
  let shuffled: [Question]

  /// The scene number `index` of those of `kinds`, of which there is one, that `seed` makes, `side` pixels wide and high, at least 48.
  ///
  /// A scene depends on nothing but these: other indices are other pictures, and so are other seeds.
  public init(seed: UInt64, index: Int, side: Int = 64, of kinds: [Kind] = Kind.allCases) {
    precondition(side >= 48, "a scene of \(side) pixels has no room for a word")
    var choices = SceneChoices(seed: seed, index: index)
    let light = UInt8(225 + choices.below(31))
    let ground = (light, UInt8(225 + choices.below(31)), UInt8(225 + choices.below(31)))
    var picture = Picture(width: side, height: side, filled: ground)
    // Shapes are as many as both others.
    switch choices.one(of: [.numbers, .words, .shapes, .shapes].filter(kinds.contains)) {
    case .numbers: (caption, questions) = Self.drawNumber(on: &picture, &choices)
    case .words: (caption, questions) = Self.drawWord(on: &picture, &choices)
    case .shapes: (caption, questions) = Self.drawShapes(on: &picture, &choices)
    }
    self.picture = picture
    var rest = questions
    shuffled = questions.map { _ in rest.remove(at: choices.below(rest.count)) }
  }

  /// One line of JSON for each question: `{"images": [path], "question": …, "answer": …}`.
  public func lines(path: String) -> [String] {
    questions.map { question in
      var line = JSONObject()
      line["images"] = .array([.string(path)])
      line["question"] = .string(question.text)
      line["answer"] = .string(question.answer)
      return JSONValue.object(line).serialized()
    }
  }

  /// One line of JSON for all questions, in any order: `{"images": [path], "messages": [{"role": "user", "content": …}, …]}`.
  public func conversation(path: String) -> String {
    var line = JSONObject()
    line["images"] = .array([.string(path)])
    line["messages"] = .array(
      shuffled.flatMap { question -> [JSONValue] in
        [
          ["role": "user", "content": .string(question.text)],
          ["role": "assistant", "content": .string(question.answer)],
        ]
      })
    return JSONValue.object(line).serialized()
  }

  private static let describe = "What does the picture show?"

  private static func drawNumber(
    on picture: inout Picture, _ choices: inout SceneChoices
  ) -> (String, [Question]) {
    let digits = 1 + choices.below(3)
    let text = (0..<digits).map { String($0 == 0 && digits > 1 ? 1 + choices.below(9) : choices.below(10)) }.joined()
    let ink = choices.one(of: Ink.all)
    draw(text, on: &picture, ink, &choices)
    let caption = "the number \(text) in \(ink.name)"
    return (
      caption,
      [
        Question(text: describe, answer: caption), Question(text: "What number is it?", answer: text),
        Question(text: "What color is the number?", answer: ink.name),
        Question(text: "How many digits are there?", answer: String(digits)),
      ]
    )
  }

  private static let words = [
    "ant", "bag", "bed", "box", "bus", "cat", "cow", "cup", "day", "dog", "egg", "fan", "fox", "hat", "hen", "ink",
    "jam", "key", "leg", "map", "net", "owl", "pen", "pig", "rug", "sun", "toy", "van", "web", "zoo", "bird", "cake",
    "door", "fish", "frog", "jump", "kite", "lamp", "moon", "quiz", "ship", "tree", "wolf", "yard",
  ]

  private static func drawWord(on picture: inout Picture, _ choices: inout SceneChoices) -> (String, [Question]) {
    let word = choices.one(of: words)
    let ink = choices.one(of: Ink.all)
    draw(word, on: &picture, ink, &choices)
    let caption = "the word \(word) in \(ink.name)"
    return (
      caption,
      [
        Question(text: describe, answer: caption), Question(text: "What word is it?", answer: word),
        Question(text: "What color is the word?", answer: ink.name),
        Question(text: "What is the first letter?", answer: String(word.prefix(1))),
      ]
    )
  }

  // As large as fits, or half as large, anywhere.
  private static func draw(_ text: String, on picture: inout Picture, _ ink: Ink, _ choices: inout SceneChoices) {
    let width = text.count * BitmapFont.advance
    let largest = max(1, min(picture.width / width, picture.height / BitmapFont.height / 2))
    let scale = max(1, largest - choices.below((largest + 1) / 2))
    let x = choices.below(picture.width - width * scale + 1)
    let y = choices.below(picture.height - BitmapFont.height * scale + 1)
    picture.write(text, x: x, y: y, scale: scale, ink)
  }

  private struct Drawn: Equatable {
    let shape: Shape
    let ink: Ink
  }

  // Shapes stand in the places of a grid of 2×2 or 3×3 and never overlap.
  private static func drawShapes(on picture: inout Picture, _ choices: inout SceneChoices) -> (String, [Question]) {
    let places = 2 + choices.below(2)
    let cell = picture.width / places
    let number = 1 + choices.below(4)
    let kinds = [choices.one(of: Shape.allCases), choices.one(of: Shape.allCases)]
    var free = Array(0..<places * places)
    var drawn: [Drawn] = []
    for _ in 0..<number {
      let place = free.remove(at: choices.below(free.count))
      let shape = Drawn(shape: choices.one(of: kinds), ink: choices.one(of: Ink.all))
      let radius = cell / 4 + choices.below(cell / 4 - 1)
      let slack = cell / 2 - radius
      let x = place % places * cell + cell / 2 + choices.below(2 * slack + 1) - slack
      let y = place / places * cell + cell / 2 + choices.below(2 * slack + 1) - slack
      picture.draw(shape.shape, x: x, y: y, radius: radius, shape.ink)
      drawn.append(shape)
    }
    return (caption(of: drawn), questions(about: drawn, &choices))
  }

  // "two red circles and a blue square", kinds in the order of shapes and then of colours.
  private static func caption(of drawn: [Drawn]) -> String {
    let numbers = ["no", "a", "two", "three", "four"]
    let phrases = Shape.allCases.flatMap { shape in
      Ink.all.compactMap { ink -> String? in
        let count = drawn.count { $0 == Drawn(shape: shape, ink: ink) }
        return count == 0 ? nil : "\(numbers[count]) \(ink.name) \(count == 1 ? shape.rawValue : shape.plural)"
      }
    }
    guard phrases.count > 1 else { return phrases.first ?? "" }
    return phrases.dropLast().joined(separator: ", ") + " and " + phrases[phrases.count - 1]
  }

  private static func questions(about drawn: [Drawn], _ choices: inout SceneChoices) -> [Question] {
    var questions = [
      Question(text: describe, answer: caption(of: drawn)),
      Question(text: "How many shapes are there?", answer: String(drawn.count)),
    ]
    let present = Shape.allCases.filter { shape in drawn.contains { $0.shape == shape } }
    let asked = choices.one(of: present)
    questions.append(
      Question(text: "How many \(asked.plural) are there?", answer: String(drawn.count { $0.shape == asked })))
    // As often one that is there as one that is not.
    let absent = Shape.allCases.filter { !present.contains($0) }
    let isThere = choices.below(2) == 0
    let sought = choices.one(of: isThere ? present : absent)
    questions.append(Question(text: "Is there a \(sought.rawValue)?", answer: isThere ? "yes" : "no"))
    // Only of a shape that is there once a colour can be asked.
    if let single = present.first(where: { shape in drawn.count { $0.shape == shape } == 1 }),
      let ink = drawn.first(where: { $0.shape == single })?.ink
    {
      questions.append(Question(text: "What color is the \(single.rawValue)?", answer: ink.name))
    }
    return questions
  }
}

/// The choices of one scene: SplitMix64 (Steele, Lea and Flood, 2014), which wraps by definition.
struct SceneChoices {
  private var state: UInt64

  init(seed: UInt64, index: Int) {
    state = seed
    // The index is mixed in by itself, so that neighbouring seeds do not share scenes.
    state = next() ^ UInt64(bitPattern: Int64(index)) &* 0xD1B5_4A32_D192_ED03
  }

  private mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }

  /// One of 0 ..< `bound`; 0 where that is empty.
  mutating func below(_ bound: Int) -> Int {
    bound <= 1 ? 0 : Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// One of `items`, which is not empty.
  mutating func one<Item>(of items: [Item]) -> Item { items[below(items.count)] }
}
