import Formats
import Kernels
import Testing

@Suite struct ConversionTests {
  @Test("blocks widen to what gguf's numpy says, exactly", arguments: KernelLevel.available, blockVectors)
  func blocks(level: KernelLevel, vector: BlockVector) {
    let stored = Guarded(BlockVector.bytes(vector.stored)), expected = vector.expected
    #expect(stored.count == vector.format.bytesPerBlock && expected.count == vector.format.elementsPerBlock)
    let found = Guarded<Float>(count: expected.count, filledWith: .nan)
    level.perform { widen(vector.format, stored.base, count: expected.count, into: found.base) }
    #expect(found.elements == expected)
  }

  // x[i] = ((i · 37 + 11) mod 64 − 29) / 16 · (1 + i / 32 rounded down), 64 of them, and with gguf 0.19.0
  // gguf.quants.quantize(x, GGMLQuantizationType[name.upper()]).tobytes().hex()
  static let quantized: [(StorageFormat, String)] = [
    (
      .q8_0,
      "0824b94be073089d30c457ec7f14a93cd063f88d20b547dc6f04992cc053e87b10a5492834cf5af57f1ab540db65009b"
        + "25c04be6700ba631cc56f17b16b23cd761fc9722"
    ),
    (
      .q4_0,
      "00b49df36ad148ae158cf359c037ae047be240b8157be259b0369d047ad248be268cf36a"
    ),
    (
      .q4_1,
      "113440bf730c952ec851ea731da63fc862fb841d223800c3ea841da63fc862fb842db740d9730c95"
    ),
    (
      .q5_0,
      "00b0a552ab9519f7c4a27f5d2a08d5b3806e3b19e6c440b44aad546a29f6b5a1705d2908d5a3805d4b08d7c3"
    ),
    (
      .q5_1,
      "df2f40bf5aad546ae6083b5d80a2d5f72a4c7f91c4e6193b003400c3b552ab95d5082a5d7fa2c4f7194c6e91b3e6083b"
    ),
  ]

  @Test("blocks are written as gguf's numpy writes them, byte for byte", arguments: KernelLevel.available, quantized)
  func writtenBlocks(level: KernelLevel, quantized: (format: StorageFormat, hexadecimal: String)) {
    let (format, hexadecimal) = quantized
    let x = Guarded<Float>(count: 64, filledWith: 0)
    for i in 0..<64 {
      let sixteenths = (i * 37 + 11) % 64 - 29
      x[i] = Float(sixteenths) / 16 * Float(1 + i / 32)
    }
    let found = Guarded<UInt8>(count: 2 * format.bytesPerBlock, filledWith: 0xAA)
    level.perform { narrow(x.base, count: 64, to: format, into: found.base) }
    #expect(found.elements == BlockVector.bytes(hexadecimal))
  }

  // x[i] = ((i · 37 + 11) mod 64 − 29) / 16 · (1 + i / 32 rounded down), 256 of them, and with ggml 0.25.3, built without
  // fused multiply-adds: ctypes.CDLL("libggml-base.so").quantize_row_q4_K_ref(x, bytes, 256), and likewise q5_K and q6_K.
  static let quantizedByK: [(StorageFormat, String)] = [
    (
      .q4_k,
      "2e2821338890d7e08890d8e087ff86ffa34bd56ef7812ab34cd67e08923ac45de68019a23bc56ef78129b34cd57e0891"
        + "a34cd56ef8812ab34dd67f08923bc45de78019a23cc56ef7812ab34cd67f0891a34cd56ef7912ab34cd67f08923bc45d"
        + "e78019a23bc56ef7812ab34cd67f0891a34cd56ef8912ab34dd67f08923bc45de78019a23cc56ef7812ab34cd67f0891"
    ),
    (
      .q5_k,
      "0e24f8328890d8e08890d9e0a7ffb7ffaa55aa55faaa55aa55aa5555aa55aa55aa0055aa55aa55aaaa55aa55aa5555aa"
        + "5577aaccff11446699bbee00335588aaddf022447799ccee11336688bbdd00225578aacdff12446799bcee01335688ab"
        + "ddf02245779accef11346689bbde00235678abcdf01245679abcef01345689abdef02345789acdef12346789bcde0123"
        + "5678abcdf01245679abcef01345689abdef02345789acdef12346789bcde0123"
    ),
    (
      .q6_k,
      "22dd8834ee9844ffaa5501bb6611cc7822dc8833ee9945ffa95500bb6612cc7733ccaa3311aa2200997700997700ee66"
        + "33dd7733dea94400aa4510bb7711bb7722dd8833ee9944ffaa5500bb6611cc7722dd8833ee9944ffaa5500bb6611cc77"
        + "33ccaa3311aa2200997700997700ee6633dd7733deaa4400aa4411bb7711bb77778822881177dd66882288dd77dd2288"
        + "2277dd778822881177dd77882288dd77778822881177dd66882288dd77dd22882277dd778822881177dd77882288dd77"
        + "f1f1e0e2d4d4c0c3b7b7a0a5999980865c1c"
    ),
  ]

  @Test("blocks of 256 are written as ggml's reference quantiser writes them, byte for byte", arguments: quantizedByK)
  func writtenByK(format: StorageFormat, hexadecimal: String) {
    let x = (0..<256).map { (i: Int) -> Float in
      let sixteenths = Float((i * 37 + 11) % 64 - 29)
      return sixteenths / 16 * Float(1 + i / 32)
    }
    let found = Guarded<UInt8>(count: format.bytesPerBlock, filledWith: 0xAA)
    narrow(x, count: 256, to: format, into: found.base)
    #expect(found.elements == BlockVector.bytes(hexadecimal))
  }

  // Every multiple of a half is a tie of rounding: 127 makes d 1, so that x stands for itself.
  @Test("halves are rounded away from zero on every level", arguments: KernelLevel.available)
  func ties(level: KernelLevel) {
    for first in stride(from: -127, to: 127, by: 31) {
      let x = Guarded((0..<32).map { $0 == 0 ? 127 : min(127, Float(first) + Float($0) / 2) })
      let found = Guarded<UInt8>(count: 34, filledWith: 0)
      level.perform { narrow(x.base, count: 32, to: .q8_0, into: found.base) }
      let expected = x.elements.map { UInt8(bitPattern: Int8($0.rounded(.toNearestOrAwayFromZero))) }
      #expect(found.elements == [0x00, 0x3C] + expected)
    }
  }

  @Test(
    "blocks with nothing, infinities or NaN in them are written without a trap",
    arguments: StorageFormat.allCases)
  func strangeBlocks(format: StorageFormat) {
    for value in [0, -0.0, .infinity, -.infinity, .nan, .greatestFiniteMagnitude, .leastNonzeroMagnitude] as [Float] {
      var x = [Float](repeating: 0, count: 256)
      x[5] = value
      let found = Guarded<UInt8>(count: format.byteCount(elements: 256) ?? 0, filledWith: 0)
      narrow(x, count: 256, to: format, into: found.base)
      if value == 0 {
        var back = [Float](repeating: 1, count: 256)
        widen(format, found.base, count: 256, into: &back)
        #expect(back == x)
      }
    }
  }

  #if !(os(macOS) && arch(x86_64))  // where Swift has no Float16
    @Test("every half widens to itself and back", arguments: KernelLevel.available)
    func halves(level: KernelLevel) {
      let all = Guarded((0...UInt16.max).map { $0 }), wide = Guarded<Float>(count: 65536, filledWith: 0)
      let back = Guarded<UInt16>(count: 65536, filledWith: 0)
      level.perform {
        widen(.f16, all.base, count: 65536, into: wide.base)
        narrow(wide.base, count: 65536, to: .f16, into: back.base)
      }
      for i in 0..<65536 {
        let half = Float16(bitPattern: UInt16(i))
        if half.isNaN {
          #expect(wide[i].isNaN && Float16(bitPattern: back[i]).isNaN)
        } else {
          #expect(wide[i].bitPattern == Float(half).bitPattern && back[i] == UInt16(i))
        }
      }
    }

    @Test("f32 rounds to the nearest half, ties to even", arguments: KernelLevel.available)
    func toHalf(level: KernelLevel) {
      var numbers = Numbers(seed: 20)
      var x: [Float] = [
        0, -0.0, 1, 65504, 65519.996, 65520, 70000, 1e30, .infinity, -.infinity, 0x1p-24, 0x1p-25, 0x1.000002p-25,
        0x1.8p-24, 0x1p-14, 0x1.ffcp-15, 0x1.ffep-15, 0x1.fffp-15, 0x1.002p0, 0x1.006p0, 0x1p-140, -1e-8,
        .leastNonzeroMagnitude,
      ]
      for _ in 0..<4001 { x.append(Float(bitPattern: UInt32(truncatingIfNeeded: numbers.bits()))) }
      for _ in 0..<4000 {
        x.append(numbers.next() * Float(sign: .plus, exponent: Int(numbers.bits() % 50) - 30, significand: 1))
      }
      let source = Guarded(x), found = Guarded<UInt16>(count: x.count, filledWith: 0)
      level.perform { narrow(source.base, count: x.count, to: .f16, into: found.base) }
      for (value, bits) in zip(x, found.elements) {
        let half = Float16(bitPattern: bits)
        if value.isNaN { #expect(half.isNaN) } else { #expect(bits == Float16(value).bitPattern, "\(value)") }
      }
    }

  #endif

  @Test("f32 rounds to the nearest bf16, ties to even", arguments: KernelLevel.available)
  func toBFloat(level: KernelLevel) {
    var numbers = Numbers(seed: 21)
    var x: [Float] = [
      0, -0.0, 1, .infinity, -.infinity, .nan, .greatestFiniteMagnitude, 0x1.01p0, 0x1.03p0, 0x1.010002p0, 0x1.2p-140,
    ]
    for _ in 0..<4000 { x.append(Float(bitPattern: UInt32(truncatingIfNeeded: numbers.bits()))) }
    let source = Guarded(x), found = Guarded<UInt16>(count: x.count, filledWith: 0)
    let back = Guarded<Float>(count: x.count, filledWith: 0)
    level.perform {
      narrow(source.base, count: x.count, to: .bf16, into: found.base)
      widen(.bf16, found.base, count: x.count, into: back.base)
    }
    for (value, bits) in zip(x, found.elements) {
      let below = UInt32(value.bitPattern >> 16), rest = value.bitPattern & 0xFFFF
      let up = rest > 0x8000 || (rest == 0x8000 && below & 1 == 1)
      if value.isNaN {
        #expect(bits & 0x7FFF > 0x7F80)
      } else {
        #expect(UInt32(bits) == below + (up ? 1 : 0), "\(value)")
      }
    }
    for (wide, bits) in zip(back.elements, found.elements) { #expect(wide.bitPattern == UInt32(bits) << 16) }
  }

  @Test("all levels widen to the same bits", arguments: StorageFormat.allCases)
  func levelsAgree(format: StorageFormat) {
    let count = format.elementsPerBlock == 1 ? 1037 : 1024
    let w = SampleWeight(format, rows: 1, columns: count, seed: 22)
    for level in KernelLevel.available {
      let found = Guarded<Float>(count: count, filledWith: .nan)
      level.perform { widen(format, w.stored.base, count: count, into: found.base) }
      #expect(found.elements == w.values, "\(level)")
    }
  }
}
