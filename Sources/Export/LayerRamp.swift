import Essentials
import Plans

/// Numbers that rise over a tensor's elements by a power that goes by the layer:
///
///     w_i = first + (last − first) · (i / (n − 1))^(p + q·layer)
struct LayerRamp {
  private let count: Int
  private let first: Double
  private let last: Double
  private let power: Double
  private let slope: Double

  /// What `tensors` of one name start with, each in a layer of its own; nil where that is no such ramp.
  init?(_ tensors: [PlannedTensor]) {
    var powers: [(layer: Int, power: Double)] = []
    var ends: (count: Int, first: Double, last: Double)?
    for tensor in tensors {
      guard let layer = tensor.name.layer, case .each(let values) = tensor.initialization, values.count > 2,
        let first = values.first, let last = values.last, first != last
      else { return nil }
      if let ends, ends != (values.count, first, last) { return nil }
      ends = (values.count, first, last)
      let middle = values.count / 2
      let share = Double(middle) / Double(values.count - 1)
      let power = log((values[middle] - first) / (last - first)) / log(share)
      let isRamp = values.enumerated().allSatisfy { index, value in
        let ramp = first + (last - first) * pow(Double(index) / Double(values.count - 1), power)
        return abs(ramp - value) <= 1e-6 * max(1, abs(value))
      }
      if !isRamp { return nil }
      powers.append((layer, power))
    }
    guard let ends, let start = powers.first, let end = powers.last, end.layer > start.layer else { return nil }
    let slope = (end.power - start.power) / Double(end.layer - start.layer)
    let power = start.power - slope * Double(start.layer)
    guard powers.allSatisfy({ abs(power + slope * Double($0.layer) - $0.power) < 1e-6 }) else { return nil }
    (count, first, last, self.power, self.slope) = (ends.count, ends.first, ends.last, power, slope)
  }

  /// The statements that start a tensor of the loop over `name, tensor`.
  func rule(_ functions: String) -> String {
    func text(_ value: Double) -> String { PyTorchExpression(Float(value)).text }
    let numbers = "\(text(first)) + \(text(last - first)) * ramp"
    return """
      layer = int(name.split("layers.")[1].split(".")[0])
      ramp = torch.linspace(0, 1, \(count), dtype=torch.float64)
      ramp = ramp ** (\(text(power)) + \(text(slope)) * layer)
      """ + "\n" + (functions == "nn.init" ? "tensor.copy_(\(numbers))" : "\(functions).copy_(tensor, \(numbers))")
  }
}
