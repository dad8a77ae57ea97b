import Files

/// A vocabulary in which every character is a piece.
public enum CharacterVocabulary {
  /// The file that holds it, `vocab.json`: an object of characters and ids.
  public static func json(_ characters: [Unicode.Scalar]) -> String {
    var object = JSONObject()
    for (id, character) in characters.enumerated() { object[String(Character(character))] = .integer(id) }
    return JSONValue.object(object).serialized() + "\n"
  }
}
