import CKernels
import Formats

extension StorageFormat {
  /// The number that CKernels knows this format by.
  var code: Int32 {
    let format =
      switch self {
      case .f32: CK_F32
      case .f16: CK_F16
      case .bf16: CK_BF16
      case .q8_0: CK_Q8_0
      case .q4_0: CK_Q4_0
      case .q4_1: CK_Q4_1
      case .q5_0: CK_Q5_0
      case .q5_1: CK_Q5_1
      case .q4_k: CK_Q4_K
      case .q5_k: CK_Q5_K
      case .q6_k: CK_Q6_K
      }
    return Int32(bitPattern: format.rawValue)
  }

  /// What the table of CKernels says of this format, which a test compares with what this type says.
  package var inKernels: (elementsPerBlock: Int, bytesPerBlock: Int) {
    (ck_block_elements(code), ck_block_bytes(code))
  }
}
