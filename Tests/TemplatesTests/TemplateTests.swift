import Files
import Templates
import Testing

/// The text of `source` for `variables`.
private func rendered(_ source: String, _ variables: JSONObject = JSONObject(), now: Int? = nil) throws -> String {
  try Template(source, name: "t").render(variables, now: now)
}

/// What is wrong with `source`.
private func problem(_ source: String) -> TemplateProblem? {
  do {
    _ = try rendered(source)
    return nil
  } catch { return error as? TemplateProblem }
}

@Suite("Templates")
struct TemplateTests {
  @Test(
    "name what is wrong, with its line",
    arguments: [
      ("a\n{% include 'x' %}", 2, "the statement 'include' cannot be evaluated in a chat template"),
      ("{% extends 'x' %}", 1, "the statement 'extends' cannot be evaluated in a chat template"),
      ("{{ 1 | foo }}", 1, "no filter is named 'foo'"),
      ("{{ 1 | random }}", 1, "the filter 'random' cannot be evaluated in a chat template"),
      ("{{ 1 is foo }}", 1, "no test is named 'foo'"),
      ("\n\n{% if true %}", 3, "the template ends where '{% endif %}' is expected"),
      ("{% for x %}", 1, "'in' is expected, '%}' found"),
      ("x {{ 'a", 1, "the string is not closed"),
      ("{# a", 1, "the comment is not closed"),
      ("{{ a.b }}", 1, "'a' is undefined"),
      ("\n{{ [].append(1) }}", 2, "'append' would change a value of the type 'list', which a template cannot"),
      ("{{ ''.__class__.mro() }}", 1, "the attribute '__class__' is not for templates"),
      ("{% macro m() %}{{ x.y }}{% endmacro %}\n{{ m() }}", 1, "'x' is undefined"),
      ("{{ 1 + 'a' }}", 1, "'+' takes no values of the types 'int' and 'str'"),
      ("{% break %}", 1, "'break' stands in no loop"),
    ] as [(String, Int, String)])
  func problems(source: String, line: Int, sentence: String) {
    let found = problem(source)
    #expect(found?.line == line)
    #expect(found?.sentence == sentence)
  }

  @Test("tell a refusal of the template from a mistake in it")
  func refusal() {
    let found = problem("{{ raise_exception('only ' ~ 2 ~ ' roles') }}")
    #expect(found?.kind == .refusal)
    #expect(found?.description == "t:1: the template refuses: only 2 roles")
  }

  @Test(
    "end at a limit when they are hostile",
    arguments: [
      "{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}",
      "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
      "{% macro m() %}{{ n() }}{% endmacro %}{% macro n() %}{{ m() }}{% endmacro %}{{ m() }}",
      "{{ range(1000000000) }}", "{{ 'a' * 1000000000000 }}", "{{ [0] * 1000000000000 }}", "{{ 9 ** 9 ** 9 }}",
      "{% set ns = namespace(x='aaaaaaaa') %}{% for i in range(100) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
      "{% set ns = namespace(x=[]) %}{% for i in range(100000) %}{% set ns.x = [ns.x] %}{% endfor %}",
      "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
      "{% set ns = namespace(x=[1], y=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}{% endfor %}{{ ns.x == ns.y }}",
      "{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}",
      "{{ 'a'.center(1000000000) }}", "{{ '%1000000000d' % 1 }}", "{{ '%.1000000000f' % 1.5 }}",
      "{{ 'aaaaaaaaaa' | replace('', 'b' * 1000000) }}",
      "{{ '\\t' * 4000 | int }}{{ ('\\t' * 4000).expandtabs(1000000000) }}",
      "{{ 'a' | indent(1000000000000, true) }}", "{{ [1] | batch(1000000000, 2) | list }}",
      "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}", "{{ ('a' * 100000) | list | tojson(indent=200) }}",
      "{% set x = 'ab' * 1000000 %}{% for i in range(100000) %}{{ x.split('a') | length }}{% endfor %}",
      "{{ [[1, 2]] * 99999 | map('map', 'map', 'abs') | list }}{% for i in range(99999) %}{{ range(99999) | sum }}{% endfor %}",
      "{{ \(String(repeating: "(", count: 100_000)) }}", "{{ \(String(repeating: "-", count: 100_000))1 }}",
      "{{ \(String(repeating: "not ", count: 100_000))1 }}",
      "{{ 1\(String(repeating: " if 1 else 1", count: 20_000)) }}",
      String(repeating: "{% if 1 %}", count: 5000),
      String(repeating: "{% for (", count: 1) + String(repeating: "(", count: 50_000),
      "{{ \(String(repeating: "[", count: 50_000)) }}", "{{ 1 | \(String(repeating: "abs | ", count: 20_000))abs }}",
      "{{ a\(String(repeating: ".b", count: 50_000)) }}", "{{ 1\(String(repeating: " + 1", count: 50_000)) }}",
    ])
  func hostile(source: String) {
    let found = problem(source)
    #expect(found != nil, "\(source.prefix(80))")
  }

  @Test("do not keep what holds itself, and free long chains")
  func chains() throws {
    #expect(
      try rendered(
        """
        {% set ns = namespace() %}{% set ns.tail = namespace() %}{% for i in range(5000) -%}
        {% set new = namespace() %}{% set t = ns.tail %}{% set t.next = new %}{% set ns.tail = new %}
        {%- endfor %}done
        """) == "done")
  }

  @Test("give long conversations the steps that their text is worth")
  func long() throws {
    var variables = JSONObject()
    variables["messages"] = .array((0..<5000).map { ["role": "user", "content": .string("turn \($0)")] as JSONValue })
    let source =
      "{% for m in messages %}{{ m.role | upper ~ ': ' ~ m['content'] | trim }}{{ '\\n' if not loop.last }}{% endfor %}"
    #expect(try rendered(source, variables).utf8.count > 5000 * 10)
  }

  @Test("compare texts byte by byte and count characters as code points")
  func spelling() throws {
    #expect(try rendered("{{ 'e\u{301}' == 'é' }}{{ 'e\u{301}' | length }}{{ '👩‍🚀'[0] }}") == "False2👩")
  }

  @Test("tell the time in the words of the format")
  func time() throws {
    #expect(try rendered("{{ strftime_now('%Y') }}", now: 1_000_000_000) == "2001")
  }
}
