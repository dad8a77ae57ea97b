/// The scalar at `place` and its length in bytes; a byte that begins no sequence inside `end` counts as one character.
///
/// Text from a `String` is well formed; a hostile normalisation table may bring other bytes, and they must do no harm.
@inline(__always)
func scalar(at place: Int, in text: UnsafePointer<UInt8>, end: Int) -> (value: UInt32, length: Int) {
  let lead = UInt32(text[place])
  if lead < 0x80 { return (lead, 1) }
  if lead < 0xC0 { return (0xFFFD, 1) }
  if lead < 0xE0 {
    guard place + 2 <= end else { return (0xFFFD, 1) }
    return ((lead & 0x1F) << 6 | UInt32(text[place + 1] & 0x3F), 2)
  }
  if lead < 0xF0 {
    guard place + 3 <= end else { return (0xFFFD, 1) }
    return ((lead & 0x0F) << 12 | UInt32(text[place + 1] & 0x3F) << 6 | UInt32(text[place + 2] & 0x3F), 3)
  }
  guard lead < 0xF8, place + 4 <= end else { return (0xFFFD, 1) }
  let high = (lead & 0x07) << 18 | UInt32(text[place + 1] & 0x3F) << 12
  return (high | UInt32(text[place + 2] & 0x3F) << 6 | UInt32(text[place + 3] & 0x3F), 4)
}

/// The number of bytes of the character that begins at `place`, never past `end`.
@inline(__always)
func characterLength(at place: Int, in text: UnsafePointer<UInt8>, end: Int) -> Int {
  scalar(at: place, in: text, end: end).length
}
