import Foundation
import Testing

import Training

@Suite struct EventFileTests {
  /// RFC 3720, B.4: 32 bytes of zeros, of ones, and rising.
  @Test("the CRC-32C is the standard's")
  func crc() {
    #expect(crc32c(Array(repeating: 0, count: 32)) == 0x8a91_36aa)
    #expect(crc32c(Array(repeating: 0xff, count: 32)) == 0x62a8_ab43)
    #expect(crc32c(Array(0..<32)) == 0x46dd_794e)
  }

  /// The reader below knows nothing of the writer: lengths, bit-by-bit CRCs and fields as the format has them.
  @Test("records are read back by a reader of their own, with the values that went in")
  func records() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "events-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = try EventFile(in: folder.path, after: 300)
    try file.append(Trainer.Report(step: 301, loss: 1.5, rate: 0.25, gradientNorm: 3), tokensPerSecond: 1000)
    try file.append(validationLoss: 2.5, step: 301)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(names.count == 1 && names[0].hasPrefix("events.out.tfevents."))
    var bytes = Array(try Data(contentsOf: folder.appending(path: names[0])))[...]
    var events: [[Int: [Field]]] = []
    while !bytes.isEmpty {
      let length = Array(bytes.prefix(8))
      let count = Int(length.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
      let data = Array(bytes.dropFirst(12).prefix(count))
      #expect(word(Array(bytes.dropFirst(8).prefix(4))) == masked(length))
      #expect(word(Array(bytes.dropFirst(12 + count).prefix(4))) == masked(data))
      events.append(fields(data))
      bytes = bytes.dropFirst(16 + count)
    }
    #expect(events.count == 4)
    #expect(events[0][3]?.first?.text == "brain.Event:2")
    #expect(events[1][2]?.first?.number == 301, "what came after step 300 in earlier files no longer holds")
    #expect(fields(events[1][7]?.first?.bytes ?? [])[1]?.first?.number == 1)
    var values: [String: Float] = [:]
    for event in events.dropFirst(2) {
      #expect(event[2]?.first?.number == 301)
      for value in fields(event[5]?.first?.bytes ?? [])[1] ?? [] {
        let value = fields(value.bytes)
        values[value[1]?.first?.text ?? ""] = Float(bitPattern: word(value[2]?.first?.bytes ?? []))
      }
    }
    #expect(
      values == ["loss/train": 1.5, "lr": 0.25, "gradient_norm": 3, "tokens_per_second": 1000, "loss/validation": 2.5])
  }

  struct Field {
    var number = 0
    var bytes: [UInt8] = []
    var text: String { String(decoding: bytes, as: UTF8.self) }
  }

  private func fields(_ bytes: [UInt8]) -> [Int: [Field]] {
    var rest = bytes[...]
    var fields: [Int: [Field]] = [:]
    func varint() -> Int {
      var (value, shift) = (0, 0)
      while let byte = rest.popFirst() {
        value |= Int(byte & 0x7f) << shift
        shift += 7
        if byte < 0x80 { break }
      }
      return value
    }
    while !rest.isEmpty {
      let key = varint()
      var field = Field()
      switch key & 7 {
      case 0: field.number = varint()
      case 1: (field.bytes, rest) = (Array(rest.prefix(8)), rest.dropFirst(8))
      case 5: (field.bytes, rest) = (Array(rest.prefix(4)), rest.dropFirst(4))
      default:
        let count = varint()
        (field.bytes, rest) = (Array(rest.prefix(count)), rest.dropFirst(count))
      }
      fields[key >> 3, default: []].append(field)
    }
    return fields
  }

  private func word(_ bytes: [UInt8]) -> UInt32 { bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) } }

  private func masked(_ bytes: [UInt8]) -> UInt32 {
    var crc: UInt32 = 0xffff_ffff
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0x82f6_3b78 : crc >> 1 }
    }
    crc ^= 0xffff_ffff
    return ((crc >> 15) | (crc << 17)) &+ 0xa282_ead8
  }
}
