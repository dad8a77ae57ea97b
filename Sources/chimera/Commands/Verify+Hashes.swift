import ArgumentParser
import Checkpoints
import Components
import Files
import Training

extension Verify {
  /// Compares every file that training saved in the folder with the SHA-256 that was noted of it.
  func verifyHashes() throws {
    if kind(ofPath: folder) == .nothing { throw Failure(.notFound, "there is no folder '\(folder)'") }
    let checkpoints = folder + "/checkpoints"
    // The folder of a run has several; that of a checkpoint is one.
    let names =
      kind(ofPath: checkpoints) == .folder
      ? try namesInFolder(checkpoints).filter { !$0.hasPrefix(".") }.map { checkpoints + "/" + $0 } : [folder]
    var files = 0
    var problems: [FileProblem] = []
    for path in names {
      do throws(FileProblem) {
        guard let saved = try SavedHashes(in: path) else {
          if path != folder { problems.append(FileProblem(path: path, sentence: "it has no \(SavedHashes.manifest)")) }
          continue
        }
        for name in saved.names {
          files += 1
          do throws(FileProblem) { try saved.check(name) } catch { problems.append(error) }
        }
      } catch { problems.append(error) }
    }
    let run = RunFolder(folder)
    if run.isBegun {
      do { _ = try RunDescription(in: run, Zoo().registry) } catch let problem as FileProblem {
        problems.append(problem)
      }
    }
    if files == 0, problems.isEmpty {
      throw Failure(.invalid, "\(folder) has no hashes: they are saved with the checkpoints of a training run")
    }
    if json {
      var document = JSONObject()
      document["folder"] = .string(folder)
      document["files"] = .integer(files)
      document["damaged"] = .array(problems.map { ["path": .string($0.path), "reason": .string($0.sentence)] })
      document["holds"] = .bool(problems.isEmpty)
      Console.write(JSONValue.object(document).serialized(pretty: true) + "\n")
    } else if problems.isEmpty {
      Console.write("\(folder): \(files.grouped) files, every SHA-256 is the one that was saved\n")
    }
    for problem in problems { Console.note("\(problem.path): error: \(problem.sentence)") }
    if !problems.isEmpty { throw ExitCode(Failure.Status.failed.rawValue) }
  }
}
