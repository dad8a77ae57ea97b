/// Patterns for the formats that a schema may ask of a string.
enum StringFormats {
  private static let octet = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
  private static let ipv4 = "(?:\(octet)\\.){3}\(octet)"
  private static let h16 = "[0-9a-fA-F]{1,4}"
  // At most 63 characters, a hyphen at neither end. Two as the third and fourth announce Punycode, of which a pattern
  // cannot tell whether it is any.
  private static let label =
    "(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]?[a-zA-Z0-9])?|[a-zA-Z0-9][a-zA-Z0-9-]{2}[a-zA-Z0-9]"
    + "|[a-zA-Z0-9][a-zA-Z0-9-](?:[a-zA-Z0-9][a-zA-Z0-9-]|-[a-zA-Z0-9])[a-zA-Z0-9-]{0,58}[a-zA-Z0-9])"
  // Months by their length, and the leap years of four digits: those that 4 divides, of the centuries those that 400 does.
  private static let leapYear = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
  private static let date =
    "(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    + "|\(leapYear)-02-29)"
  // A leap second is the last of a day, which here is told in UTC alone.
  private static let time =
    "(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]+)?(?:[zZ]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
    + "|23:59:60(?:\\.[0-9]+)?(?:[zZ]|[+-]00:00))"
  private static let atom = "[a-zA-Z0-9!#$%&'*+\\-/=?^_`{|}~]+"
  private static let durationTime = "T(?:[0-9]+H(?:[0-9]+M(?:[0-9]+S)?)?|[0-9]+M(?:[0-9]+S)?|[0-9]+S)"

  // RFC 3986, without addresses of IPv6.
  private static let segment = "(?:[a-zA-Z0-9._~!$&'()*+,;=:@-]|%[0-9a-fA-F]{2})"
  private static let user = "(?:[a-zA-Z0-9._~!$&'()*+,;=:-]|%[0-9a-fA-F]{2})*"
  private static let host = "(?:[a-zA-Z0-9._~!$&'()*+,;=-]|%[0-9a-fA-F]{2})*"

  /// The pattern of `format`, bound to both ends; nil where there is none.
  static func pattern(of format: String) -> String? {
    switch format {
    case "date": "^(?:\(date))$"
    case "time": "^(?:\(time))$"
    case "date-time": "^(?:\(date)[tT]\(time))$"
    case "duration":
      "^P(?:(?:[0-9]+Y(?:[0-9]+M(?:[0-9]+D)?)?|[0-9]+M(?:[0-9]+D)?|[0-9]+D)(?:\(durationTime))?|\(durationTime)|[0-9]+W)$"
    case "uuid": "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
    case "ipv4": "^\(ipv4)$"
    case "ipv6":
      "^(?:(?:\(h16):){7}\(h16)|(?:\(h16):){1,7}:|:(?::\(h16)){1,7}|::"
        + (1...6).map { "|(?:\(h16):){1,\(7 - $0)}(?::\(h16)){1,\($0)}" }.joined() + ")$"
    case "hostname": "^\(label)(?:\\.\(label))*$"
    case "email":
      "^\(atom)(?:\\.\(atom))*@(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\\[\(ipv4)\\])$"
    case "uri":
      "^[a-zA-Z][a-zA-Z0-9+.-]*:(?://(?:\(user)@)?(?:\(host))(?::[0-9]*)?(?:/\(segment)*)*|/?\(segment)+(?:/\(segment)*)*)"
        + "(?:\\?(?:\(segment)|[/?])*)?(?:#(?:\(segment)|[/?])*)?$"
    default: nil
    }
  }

  /// The formats that there are.
  static let names = ["date", "time", "date-time", "duration", "uuid", "ipv4", "ipv6", "hostname", "email", "uri"]
}
