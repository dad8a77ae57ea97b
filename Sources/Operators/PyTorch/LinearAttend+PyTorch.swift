import Plans

extension LinearAttend {
  /// `linear_attend(q, k, v, g, …)`, in chunks, whose length changes nothing but rounding.
  public func pytorch(_ call: inout PyTorchCall) -> PyTorchExpression? {
    call.isPart(of: "LinearAttention", rank: 2)
    call.readsVariables("q", "k", "v", "g")
    call.define("linear_attend", Self.function)
    let q = call.heads(keyHeads, ofInput: 0)
    let k = call.heads(keyHeads, ofInput: 1)
    let v = call.withoutPadding(call.heads(heads, ofInput: 2, named: "num_heads"))
    let g: PyTorchExpression
    switch decay {
    case .given: g = call.input(3)
    case .fixed(let logarithms):
      let list = logarithms.map { PyTorchExpression($0).text }.joined(separator: ", ")
      g = "q.new_tensor([\(list)]).expand(*q.shape[:2], -1)"
    }
    call.output(is: .heads(heads), headCount: "num_heads")
    call.names("y")
    return .call(
      "linear_attend", [q, k, v, g, call.cache()],
      named: chunk == Self.usualChunk ? [] : [("chunk", PyTorchExpression(chunk))])
  }

  private static let usualChunk = 64

  private static let function = """
    def linear_attend(q, k, v, g, cache=None, chunk=\(usualChunk)):
        \"""S_t = exp(g_t)·S_{t−1} + k_t·v_tᵀ;  y_t = q_t·S_t, a chunk of tokens at a time.

        q, k, v: [batch, tokens, heads, width]; heads of v share those of q and k. g: [batch, tokens, heads].
        With c the sums of g over a chunk and S the state before it,
        y_t = Σ_{s≤t} exp(c_t − c_s)·(q_t·k_s)·v_s + exp(c_t)·q_t·S.
        \"""
        q, k = (x.repeat_interleave(v.size(2) // x.size(2), dim=2) for x in (q, k))
        none = v.new_zeros(v.size(0), v.size(2), k.size(3), v.size(3))
        state = (cache or {}).get("state", none)
        outputs = []
        for start in range(0, q.size(1), chunk):
            qs, ks, vs, gs = (x[:, start : start + chunk] for x in (q, k, v, g))
            c = gs.cumsum(1)  # [batch, tokens, heads]
            n = c.size(1)
            later = torch.ones(n, n, dtype=torch.bool, device=c.device).triu(1)
            decay = c.unsqueeze(2) - c.unsqueeze(1)  # [batch, t, s, heads]
            decay = decay.masked_fill(later.unsqueeze(-1), float("-inf")).exp()
            scores = torch.einsum("bthd,bshd->btsh", qs, ks) * decay
            y = torch.einsum("btsh,bshv->bthv", scores, vs)
            y = y + torch.einsum("bthd,bhdv->bthv", qs * c.exp().unsqueeze(-1), state)
            outputs.append(y)
            rest = (c[:, -1:] - c).exp().unsqueeze(-1)
            state = state * c[:, -1].exp()[..., None, None]
            state = state + torch.einsum("bshd,bshv->bhdv", ks * rest, vs)
        if cache is not None:
            cache["state"] = state
        return torch.cat(outputs, dim=1)
    """
}
