import Formats
import Kernels
import Testing

@Suite struct StorageFormatTests {
  @Test("bytes of whole blocks are counted; part blocks, negative counts and overflow are refused")
  func byteCounts() {
    #expect(StorageFormat.f32.byteCount(elements: 3) == 12)
    #expect(StorageFormat.q4_0.byteCount(elements: 64) == 36)
    #expect(StorageFormat.q6_k.byteCount(elements: 512) == 420)
    #expect(StorageFormat.q8_0.byteCount(elements: 0) == 0)
    #expect(StorageFormat.q8_0.byteCount(elements: 33) == nil)
    #expect(StorageFormat.f32.byteCount(elements: -1) == nil)
    #expect(StorageFormat.f32.byteCount(elements: Int.max) == nil)
  }

  @Test("a level asked for holds on this thread until its body ends, and portable is always there")
  func levels() {
    let before = KernelLevel.current
    #expect(KernelLevel.available.map(\.name).first == "portable")
    for level in KernelLevel.available {
      level.perform { #expect(KernelLevel.current == level) }
      #expect(KernelLevel.current == before)
    }
  }

  @Test("the kernels know the same blocks", arguments: StorageFormat.allCases)
  func kernels(format: StorageFormat) {
    let inKernels = format.inKernels
    #expect(inKernels.elementsPerBlock == format.elementsPerBlock && inKernels.bytesPerBlock == format.bytesPerBlock)
  }
}
