import CKernels

/// Gives memory that was used and freed back to the system; the allocator else keeps most of it for this process.
///
/// Worth its millisecond after reading what is large and soon forgotten, such as a vocabulary; it says nothing of memory
/// in use, and does nothing where the allocator cannot be asked (it is glibc's that can).
public func returnFreedMemory() { ck_return_freed_pages() }
