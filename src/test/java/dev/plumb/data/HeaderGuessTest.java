package dev.plumb.data;

import static dev.plumb.data.Refusals.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whether a first line is taken for names or for a row. In the texts | ends a line. */
class HeaderGuessTest {
  private static final String WORDS = "red,small|blue,large|red,large|blue,small|red,small|blue,large";

  @ParameterizedTest
  @ValueSource(strings = {
      "age,city|31,Rome|40,Oslo",
      "0,1,2,species|0.5,1.5,2.5,ash|0.25,1.75,2.25,birch|0.1,1.1,2.1,ash|0.2,1.2,2.2,birch",
      "0,1,2|-0.3,-0.59,87.47|1.49,-0.3,119.51",
      "country,2019,2020|France,67.1,67.3|Ghana,30.4,31.1",
      "2019,2020,2021|1.5,2.5,3.5|4.5,5.5,6.5",
      "1,2|red,small|blue,large|red,large",
      "\"1\",\"2\"|5,7|6,8",
      "color,size|" + WORDS,
      "\"id\", \"height\"|0, 66.5|1, 67.25",
      "name|1|2"})
  void namesAreTold(String text) {
    Table table = read(text);
    assertEquals(text.split("\\|").length - 1, table.rows());
    assertEquals(text.split("\\|")[0].split(",")[0].replace("\"", ""), table.names().get(0));
  }

  @ParameterizedTest
  @ValueSource(strings = {
      "5.1,3.5,setosa|4.9,3.0,setosa|7.0,3.2,versicolor",
      "5,red|6,blue",
      "1,1|2,2|1,1",
      "5,7,9|6,8,11",
      "0,0,0|0.5,0.25,0.125|1.5,2.25,3.125",
      "0,1,0.5|0.5,0.25,0.125|1.5,2.25,3.125",
      WORDS,
      "p,x,s|e,x,s|p,b,y|e,b,s|p,x,y",
      "1,2,3|4,5,6|1,2,3"})
  void rowsAreTold(String text) {
    Table table = read(text);
    assertEquals(text.split("\\|").length, table.rows());
    assertEquals("1", table.names().get(0));
  }

  @ParameterizedTest
  @ValueSource(strings = {
      "0,1,2|5,6,8|7,9,4",
      "0,1|5,6|7,9",
      "1990,1995,2000|5,6,8|7,9,4",
      "country,2019,2020|France,67,68|Ghana,30,31",
      "0,1|0.5,1.25|0.75,1.5",
      "Anna,Rome|Bob,Oslo|Cleo,Kiel",
      "name,city|Anna,Rome",
      "0,label|3,a|4,b|3,a|6,b"})
  void whatCanBeEitherIsRefused(String text) {
    String first = text.split("\\|")[0].split(",")[0];
    assertRefused("stdin: line 1 (\"" + first + "\", ...) can be a row or have names; say whether it has the names of the columns"
        + " (--header yes or no)", () -> read(text));
    assertEquals(text.split("\\|").length, read(text, ReadOptions.DEFAULT.withHeader(false)).rows());
    assertEquals(text.split("\\|").length - 1, read(text, ReadOptions.DEFAULT.withHeader(true)).rows());
  }

  @Test
  void namesThatAModelKnowsAreTold() {
    ReadOptions frame = ReadOptions.DEFAULT.withKinds(Map.of("0", ColumnKind.NUMBERS, "1", ColumnKind.NUMBERS, "2", ColumnKind.TEXT));
    assertEquals(List.of("0", "1"), read("0,1|5,6|7,9", frame).names());
    ReadOptions words = ReadOptions.DEFAULT.withKinds(Map.of("name", ColumnKind.TEXT, "city", ColumnKind.TEXT, "y", ColumnKind.TEXT));
    assertEquals(1, read("city,name|Anna,Rome", words).rows());
    ReadOptions numbered = ReadOptions.DEFAULT.withKinds(Map.of("1", ColumnKind.NUMBERS, "2", ColumnKind.NUMBERS));
    assertEquals(2, read("1,7|5,6", numbered).rows());
    assertEquals(0, read("1,7|5,6", numbered).columns().get(0).sourceRow(0));
  }

  private static Table read(String text) {
    return read(text, ReadOptions.DEFAULT);
  }

  private static Table read(String text, ReadOptions options) {
    byte[] bytes = (text.replace("|", "\n") + "\n").getBytes(StandardCharsets.UTF_8);
    return TableReader.read(new ByteArrayInputStream(bytes), "stdin", options);
  }
}
