import CKernels

extension WeightMatrix {
  /// The bytes these weights take in panels; nil when their format has none or the number is too large for `Int`.
  ///
  /// Panels are whole: up to 31 outputs, and for bf16 one input, are made up with zeros.
  public var bytesInPanels: Int? {
    guard format.elementsPerBlock == 1 else { return nil }
    let panels = (rows + Int(CK_PANEL) - 1) / Int(CK_PANEL)
    let (elements, overflow) = panels.multipliedReportingOverflow(by: (columns + columns % 2) * Int(CK_PANEL))
    guard !overflow, format.byteCount(elements: elements) != nil else { return nil }
    return panels * panelBytes
  }

  /// These weights laid out in panels at `memory`, which holds `bytesInPanels`; the numbers stay what they are.
  public func inPanels(at memory: UnsafeMutableRawPointer, pool: ThreadPool) -> WeightMatrix {
    precondition(layout == .rows && format.elementsPerBlock == 1, "\(format.rawValue) cannot be laid out in panels")
    let kernels = ck_current(), panelBytes = panelBytes, rows = rows
    let panels = (rows + Int(CK_PANEL) - 1) / Int(CK_PANEL)
    var stored = stored
    withUnsafePointer(to: &stored) { stored in
      pool.run(panels) { own in
        ck_store_panels(
          kernels, stored, own.lowerBound * Int(CK_PANEL), min(rows, own.upperBound * Int(CK_PANEL)),
          memory + own.lowerBound * panelBytes)
      }
    }
    return WeightMatrix(base: memory, format: format, rows: rows, columns: columns, layout: .panels)
  }
}
