import Export
import Testing

@Suite struct PythonProgramTests {
  private func sentence(of path: String) -> String? {
    do {
      _ = try PythonProgram(path, modules: ["torch"])
      return nil
    } catch { return (error as? ExportFailure)?.description }
  }

  @Test("a program that is no Python and says nothing is told by its status")
  func silence() {
    #expect(sentence(of: "false") == "'false' is no Python that runs: it ends with status 1 and says nothing")
  }

  @Test("a path without a program names the flag")
  func missing() {
    let said = sentence(of: "/no/such/python")
    #expect(said == "there is no Python at '/no/such/python'; --python PATH names one that has torch")
  }
}
