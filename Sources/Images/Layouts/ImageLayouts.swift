/// The layouts by the names that `Processors.json` and settings call them.
enum ImageLayouts {
  static let all: [(name: String, layout: any ImageLayout.Type)] = [
    ("resize", ResizeLayout.self),
    ("square", SquareLayout.self),
    ("crops", CropsLayout.self),
    ("pinpoints", PinpointsLayout.self),
    ("quarters", QuartersLayout.self),
    ("tiles", TilesLayout.self),
    ("canvas", CanvasLayout.self),
    ("chunks", ChunksLayout.self),
    ("closest_grid", ClosestGridLayout.self),
    ("merged_patches", MergedPatchesLayout.self),
    ("whole_patches", WholePatchesLayout.self),
    ("patch_budget", PatchBudgetLayout.self),
    ("soft_rows", SoftRowsLayout.self),
  ]
}
