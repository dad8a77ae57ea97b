import Files

/// How `chimera-net` listens.
public struct ListenSettings: Sendable {
  /// The address, and the port; 0 for one that is free.
  public var host: String
  public var port: Int
  /// Bytes of a body at most.
  public var bodyLimit: Int
  /// Connections at one time at most.
  public var connections: Int
  /// Seconds that a connection may be silent, and that a client may leave an answer unread.
  public var silence: Int
  /// What may ask.
  public var gate: RequestGate

  /// These settings.
  public init(host: String, port: Int, bodyLimit: Int, connections: Int, silence: Int, gate: RequestGate) {
    (self.host, self.port, self.bodyLimit) = (host, port, bodyLimit)
    (self.connections, self.silence, self.gate) = (connections, silence, gate)
  }

  /// As JSON.
  public var json: JSONValue {
    [
      "host": .string(host), "port": .integer(port), "body": .integer(bodyLimit), "connections": .integer(connections),
      "silence": .integer(silence), "token": gate.token.map(JSONValue.string) ?? .null,
      "hosts": .array(gate.hosts.map(JSONValue.string)), "origins": .array(gate.origins.map(JSONValue.string)),
    ]
  }

  /// From JSON; nil where it is something else.
  public init?(_ json: JSONValue) {
    guard let host = json["host"]?.string, let port = json["port"]?.integer, let body = json["body"]?.integer,
      let connections = json["connections"]?.integer, let silence = json["silence"]?.integer,
      let hosts = json["hosts"]?.array, let origins = json["origins"]?.array
    else { return nil }
    self.init(
      host: host, port: port, bodyLimit: body, connections: connections, silence: silence,
      gate: RequestGate(
        token: json["token"]?.string, hosts: hosts.compactMap(\.string), origins: origins.compactMap(\.string)))
  }
}

/// A request without its body.
public struct RequestHead: Sendable {
  public var method: String
  /// The path with its query.
  public var target: String
  /// The fields, their names in small letters.
  public var fields: [String: String]

  /// A request for `target`.
  public init(method: String, target: String, fields: [String: String] = [:]) {
    (self.method, self.target, self.fields) = (method, target, fields)
  }

  /// The path alone.
  public var path: String { String(target.prefix { $0 != "?" && $0 != "#" }) }

  /// The message with this head and `body`.
  public func frame(request: UInt64, body: [UInt8]) -> Frame {
    var names = JSONObject()
    for (name, value) in fields.sorted(by: { $0.key < $1.key }) { names[name] = .string(value) }
    let json: JSONValue = ["method": .string(method), "target": .string(target), "fields": .object(names)]
    let head = Array(json.serialized().utf8)
    var payload: [UInt8] = []
    Frame.append(UInt64(head.count), count: 4, to: &payload)
    return Frame(.request, request: request, payload + head + body)
  }

  /// The head and the body in a message; nil where it has none.
  public static func parse(_ frame: Frame) -> (head: RequestHead, body: [UInt8])? {
    let payload = frame.payload
    guard payload.count >= 4 else { return nil }
    let length = Int(Frame.number(payload[..<4]))
    guard payload.count >= 4 + length else { return nil }
    let json = payload[4..<4 + length].withUnsafeBytes { try? JSONValue(parsing: $0, name: "a request") }
    guard let json, let method = json["method"]?.string, let target = json["target"]?.string else { return nil }
    var fields: [String: String] = [:]
    for (name, value) in json["fields"]?.object ?? JSONObject() { fields[name] = value.string }
    return (RequestHead(method: method, target: target, fields: fields), Array(payload[(4 + length)...]))
  }
}

/// The beginning of an answer.
public struct ResponseHead: Sendable {
  public var status: Int
  public var fields: [(name: String, value: String)]
  /// The length of the body; nil where it comes as it is made.
  public var length: Int?

  /// An answer with this status.
  public init(status: Int, fields: [(name: String, value: String)] = [], length: Int? = nil) {
    (self.status, self.fields, self.length) = (status, fields, length)
  }

  /// As JSON.
  public var json: JSONValue {
    [
      "status": .integer(status), "length": length.map(JSONValue.integer) ?? .null,
      "fields": .array(fields.map { .array([.string($0.name), .string($0.value)]) }),
    ]
  }

  /// From JSON; nil where it is something else.
  public init?(_ json: JSONValue) {
    guard let status = json["status"]?.integer, let fields = json["fields"]?.array else { return nil }
    self.init(
      status: status,
      fields: fields.compactMap { field in
        guard let pair = field.array, pair.count == 2, let name = pair[0].string, let value = pair[1].string else {
          return nil
        }
        return (name: name, value: value)
      }, length: json["length"]?.integer)
  }
}
