import Hub
import Testing

@Suite("Proxies") struct ProxyTests {
  private func proxy(to text: String, _ environment: [String: String]) throws -> String? {
    let address = try #require(Address(text))
    return try ProxyRules(environment).proxy(to: address).map { "\($0.host):\($0.port)" }
  }

  @Test("https goes through the proxy that the environment names, in small letters first; http does not")
  func named() throws {
    let both = ["https_proxy": "http://a:3128", "HTTPS_PROXY": "http://b:1"]
    #expect(try proxy(to: "https://huggingface.co/x", both) == "a:3128")
    #expect(try proxy(to: "https://huggingface.co/x", ["HTTPS_PROXY": "b:81/"]) == "b:81")
    #expect(try proxy(to: "https://huggingface.co/x", ["ALL_PROXY": "http://c"]) == "c:80")
    #expect(try proxy(to: "http://huggingface.co/x", both) == nil)
    #expect(try proxy(to: "https://huggingface.co/x", ["https_proxy": ""]) == nil)
    let proxy = try ProxyRules(["https_proxy": "http://me:se%40cret@p:8080"]).proxy
    #expect(proxy?.credentials?.user == "me" && proxy?.credentials?.password == "se@cret")
  }

  @Test(
    "hosts of no_proxy, and those below them, are reached directly",
    arguments: [
      ("huggingface.co", true), (".huggingface.co", true), ("*", true), ("co", true),
      ("other.org, HuggingFace.co", true),
      ("*.hf.co,huggingface.co", true), ("huggingface.co:443", true), ("huggingface.co:8443", false),
      ("face.co", false), ("", false),
      ("cdn.huggingface.co", false),
    ])
  func excepted(text: String, isDirect: Bool) throws {
    let found = try proxy(to: "https://huggingface.co/x", ["https_proxy": "http://a:1", "no_proxy": text])
    #expect((found == nil) == isDirect)
    let below = try proxy(
      to: "https://cdn.huggingface.co/x", ["https_proxy": "http://a:1", "NO_PROXY": "huggingface.co"])
    #expect(below == nil)
  }

  @Test(
    "an address that is no HTTP proxy's is refused by the variable's name, not passed over",
    arguments: [
      "socks5://a:1", "https://a:1", "http://", "ftp://x",
    ])
  func refused(text: String) throws {
    let problem = #expect(throws: HubProblem.self) { try ProxyRules(["https_proxy": text]) }
    #expect(problem?.description.contains("https_proxy is no address of an HTTP proxy: write http://HOST:PORT") == true)
  }
}
