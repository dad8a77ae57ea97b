/// Tables that steps are bound to, which live as long as this does.
final class BindingTables {
  private var tables: [UnsafeMutableRawPointer] = []

  /// `elements`, where they stay.
  func table<Element>(_ elements: [Element]) -> UnsafeBufferPointer<Element> {
    if elements.isEmpty { return UnsafeBufferPointer(start: nil, count: 0) }
    let memory = UnsafeMutablePointer<Element>.allocate(capacity: elements.count)
    memory.initialize(from: elements, count: elements.count)
    tables.append(UnsafeMutableRawPointer(memory))
    return UnsafeBufferPointer(start: memory, count: elements.count)
  }

  deinit {
    for table in tables { table.deallocate() }
  }
}
