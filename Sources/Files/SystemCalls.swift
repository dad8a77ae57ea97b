import Essentials

/// Writes all of `bytes` to `descriptor`, and gives the system's error number when that fails.
///
/// A descriptor that does not wait and has no room, such as a full pipe that a supervisor handed out, is waited for by
/// `poll`, never by trying again and again.
public func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32? {
  var rest = bytes
  while let base = rest.baseAddress, !rest.isEmpty {
    let count = write(descriptor, base, rest.count)
    if count >= 0 {
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
      continue
    }
    if errno == EINTR { continue }
    guard errno == EAGAIN || errno == EWOULDBLOCK else { return errno }
    var waited = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    if poll(&waited, 1, -1) < 0, errno != EINTR { return errno }
    // A descriptor that cannot be written to again says so at the next write.
  }
  return nil
}
