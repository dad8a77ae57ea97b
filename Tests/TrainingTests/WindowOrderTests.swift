import Testing

import Training

@Suite struct WindowOrderTests {
  @Test(
    "an epoch has every window once, and the next has them in another order",
    arguments: [(100, 7), (1000, 10), (65, 64), (5000, 3)])
  func epochs(_ tokens: Int, _ length: Int) {
    let order = WindowOrder(tokens: tokens, length: length, seed: 3)
    let count = order.windows
    var epochs: [[Int]] = []
    for epoch in 0..<3 {
      let starts = (0..<count).map { order.start(of: epoch * count + $0) }
      #expect(
        starts.allSatisfy { $0 >= 0 && $0 + length + 1 <= tokens },
        "every window, with the token after it, is in the text")
      let offset = starts.map { $0 % length }
      #expect(Set(offset).count == 1, "windows of an epoch lie side by side")
      #expect(Set(starts).count == count)
      epochs.append(starts)
    }
    if count > 3 {
      #expect(epochs[0] != epochs[1] && epochs[1] != epochs[2])
      #expect(epochs[0] != epochs[0].sorted(), "they are shuffled")
      #expect(WindowOrder(tokens: tokens, length: length, seed: 4).start(of: 0) != epochs[0][0] || count < 8)
    }
    // Any place by itself.
    #expect(order.start(of: 2 * count) == epochs[2][0])
  }

  @Test("over epochs a window begins at every place")
  func offsets() {
    let order = WindowOrder(tokens: 1000, length: 8, seed: 1)
    let offsets = Set((0..<200).map { order.start(of: $0 * order.windows) % 8 })
    #expect(offsets.count == 8)
  }
}
