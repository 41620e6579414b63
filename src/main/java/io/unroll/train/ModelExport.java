package io.unroll.train;

import io.unroll.io.OnnxExport;
import io.unroll.train.ModelConfig.Input;

/** The layers of a {@link Model} as ONNX. */
final class ModelExport {
  private ModelExport() {}

  static OnnxExport onnx(Model model) {
    ModelConfig config = model.config();
    Input input = config.input();
    OnnxExport onnx = OnnxExport.of(model.parameters());
    model.metadata().forEach(onnx::metadata);
    if (input.hasTokens() && input.embeddingSize() == 0) {
      onnx.oneHot(input.vocabulary().size());
    } else if (input.hasTokens()) {
      onnx.embedding("embedding");
    }
    if (config.output().isNextToken()) {
      onnx.withStates();
    } else {
      onnx.withLengths();
    }
    onnx.recurrent("rnn", config.recurrent());
    if (!config.output().everyStep()) {
      onnx.last();
    }
    return onnx.linear("head");
  }
}
