#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Memory that ends where the next page may not be touched, so that a kernel that reads or writes past it is killed.
final class Guarded<Element: BitwiseCopyable> {
  let base: UnsafeMutablePointer<Element>
  let count: Int
  private let mapping: UnsafeMutableRawPointer
  private let length: Int

  init(count: Int, filledWith value: Element) {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let bytes = count * MemoryLayout<Element>.stride
    length = (bytes + page - 1) / page * page + page
    #if canImport(Glibc)
      let flags = MAP_PRIVATE | MAP_ANONYMOUS
    #else
      let flags = MAP_PRIVATE | MAP_ANON
    #endif
    mapping = mmap(nil, length, PROT_READ | PROT_WRITE, flags, -1, 0)
    mprotect(mapping + (length - page), page, PROT_NONE)
    base = (mapping + (length - page - bytes)).assumingMemoryBound(to: Element.self)
    base.initialize(repeating: value, count: count)
    self.count = count
  }

  convenience init(_ elements: [Element]) where Element: ExpressibleByIntegerLiteral {
    self.init(count: elements.count, filledWith: 0)
    for (i, element) in elements.enumerated() { base[i] = element }
  }

  deinit { munmap(mapping, length) }

  subscript(_ i: Int) -> Element {
    get { base[i] }
    set { base[i] = newValue }
  }
  var elements: [Element] { Array(UnsafeBufferPointer(start: base, count: count)) }
}
