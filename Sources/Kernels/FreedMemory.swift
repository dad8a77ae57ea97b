import CKernels

/// Gives memory that was used and freed back to the system; the allocator else keeps most of it for this process.
///
/// Worth its millisecond after reading what is large and soon forgotten, such as a vocabulary; it says nothing of memory
/// in use, and does nothing where the allocator cannot be asked (it is glibc's that can).
public func returnFreedMemory() { ck_return_freed_pages() }

/// A file of `bytes` zeros in memory, without a name, whose pages can stand in several places; nil where the system has none.
public func fileOfPages(bytes: Int) -> Int32? {
  let file = ck_file_of_pages(bytes)
  return file < 0 ? nil : file
}
