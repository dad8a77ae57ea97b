import Components
import Conformance
import Essentials
import Execution
import Export
import Kernels
import Plans
import Specification

/// Exported modules compared with this program, for the commands that ask for it.
struct Exporting {
  let registry: Registry
  let python: PythonProgram
  let pool: ThreadPool

  /// Compares the module in `folder` with `plan` and `parameters`.
  func compare(_ plan: Plan, _ parameters: Parameters, _ exported: ExportedFolder, in folder: String) throws
    -> ExportVerification
  {
    let scratch = FileManager.default.temporaryDirectory.appending(path: "chimera-export-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let optimizer = try YAMLReader(source: "reference")
      .read("{type: adamw, beta1: 0.9, beta2: 0.95, eps: 1e-8, weight_decay: 0.1, decay: matrices}")
    return try ExportVerification(
      plan, parameters, exported, in: folder, scratch: scratch.path, python: python,
      optimizer: registry.make(.optimizer, optimizer), training: true, pool: pool)
  }

  /// What is wrong with the renderings of `component`, in the tiny models of the conformance tests.
  func faults(of component: ComponentDescription, _ kit: ConformanceKit) throws -> [Fault] {
    guard component.slot.isOfModel else { return [] }
    var faults: [Fault] = []
    for sample in kit.cases(of: component) {
      // What does not compose is told by the other checks.
      guard let model = try? kit.model(sample) else { continue }
      let folder = FileManager.default.temporaryDirectory.appending(path: "chimera-module-\(UUID().uuidString)")
      defer { try? FileManager.default.removeItem(at: folder) }
      do {
        let exported = ExportedFolder(model.plan, try PyTorchFile(model.plan, command: "chimera check-component"))
        try exported.write(to: folder.path, parameters: model.parameters, others: [:]) { written in
          for row in try compare(model.plan, model.parameters, exported, in: written).rows where !row.holds {
            let sentence = "\(row.name): its PyTorch differs by \(row.difference ?? .infinity)"
            faults.append(Fault(.rendering, sentence, setting: sample.description))
          }
        }
      } catch ExportProblem.noFile {
        // There is no file that its parts could be compared in.
      } catch let problem as ExportProblem {
        // What reads pictures or all of a text is written as far as its operators say how.
        if model.plan.seesWholeTexts || !model.plan.otherAxes.isEmpty { continue }
        faults.append(Fault(.rendering, problem.description, setting: sample.description))
      } catch let failure as ExportFailure {
        faults.append(Fault(.rendering, failure.description, setting: sample.description))
      }
    }
    return faults
  }
}
