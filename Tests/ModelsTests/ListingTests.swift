import Composition
import Describing
import Execution
import Foundation
import Models
import TestSupport
import Testing

/// The plan of every model of the zoo, compared with the listing that was last reviewed.
///
/// A changed default or option must show up as a diff of `Tests/Listings`: write them anew with
/// `CHIMERA_WRITE_LISTINGS=1 swift test -c release --filter ListingTests`, and read what changed.
@Suite struct ListingTests {
  private static let folder = Here.package + "/Tests/Listings"

  @Test("every architecture composes to the plan that was reviewed")
  func listings() throws {
    let writes = ProcessInfo.processInfo.environment["CHIMERA_WRITE_LISTINGS"] == "1"
    let models = try Here.models()
    var names: Set<String> = []
    for model in models.catalog.models() {
      let plan = try models.describe(model.name).plan
      #expect(plan.verify().isEmpty, "\(model.name): \(plan.verify().prefix(3))")
      let fused = plan.fused().verify()
      #expect(fused.isEmpty, "\(model.name), fused: \(fused.prefix(3))")
      let listing = PlanListing(plan).text
      let path = "\(Self.folder)/\(model.name).txt"
      names.insert("\(model.name).txt")
      if writes {
        try listing.write(toFile: path, atomically: true, encoding: .utf8)
      } else {
        let reviewed = try? String(contentsOfFile: path, encoding: .utf8)
        #expect(listing == reviewed, "the plan of \(model.name) is not the one in Tests/Listings")
      }
    }
    #expect(names.count > 40)
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder)
    #expect(Set(files) == names, "a listing of a model that is no more, or none of one that is")
  }
}
