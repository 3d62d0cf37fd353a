package dev.plumb.spark;

import java.io.IOException;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** The example of the site: a model as a stage of a pipeline. */
final class PipelineExample {
  private PipelineExample() {}

  static Dataset<Row> run(String run, Dataset<Row> rows, String folder) throws IOException {
    PlumbTransformer plumb = new PlumbTransformer().setModelPath(run);
    PipelineModel pipeline = new Pipeline().setStages(new PipelineStage[] {plumb}).fit(rows);
    Dataset<Row> scored = pipeline.transform(rows);
    pipeline.write().save(folder);
    return scored;
  }
}
