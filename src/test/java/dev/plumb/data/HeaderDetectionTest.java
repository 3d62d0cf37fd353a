package dev.plumb.data;

import static dev.plumb.data.Refusals.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Detection of headers; | ends a line in the texts. */
class HeaderDetectionTest {
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
      "name|1|2",
      "a,b,y|1,2,3|4,5,6|a,b,y|7,8,9",
      "alter;klasse|1,5;a|2,5;b",
      "sqft,price|-,\"$2,000\"|\"1,100\",-"})
  void headersAreDetected(String text) {
    Table table = read(text);
    assertEquals(text.split("\\|").length - 1, table.rows());
    assertEquals(text.split("\\|")[0].split("[,;]")[0].replace("\"", ""), table.names().get(0));
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
      "1,2,3|4,5,6|1,2,3",
      "1.5,2|1.5,2|1.5,2",
      "\"1,200\",\"2,300\"|950,870|800,700",
      "−5,−3|1,2|4,5",
      "100%,10%|5%,6%"})
  void rowsAreDetected(String text) {
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
      "1,2,3|0.5,1.5,2.5|0.25,1.25,2.25",
      "5,rare|1.5,live|2.5,live|1.5,dead|2.25,live",
      "apple,rare|pear,x|plum,x|fig,y|kiwi,y",
      "name,kind|Anna,p|Bob,q|Cleo,p|Dan,q|name,kind|Eva,p|Fred,q",
      "0,label|3,a|4,b|3,a|6,b"})
  void ambiguousFirstLinesAreRefused(String text) {
    String first = text.split("\\|")[0].split(",")[0];
    assertRefused("stdin: line 1 (\"" + first + "\", ...) can be a header or a row; use --header yes or --header"
        + " no", () -> read(text));
    assertEquals(text.split("\\|").length, read(text, ReadOptions.DEFAULT.withHeader(false)).rows());
    assertEquals(text.split("\\|").length - 1, read(text, ReadOptions.DEFAULT.withHeader(true)).rows());
  }

  @Test
  void namesOfASchemaMakeAHeader() {
    assertEquals(List.of("0", "1"), read("0,1|5,6|7,9", known(true, "0", "1")).names());
    assertEquals(1, read("city,name|Anna,Rome", known(true, "name", "city")).rows());
    assertEquals(List.of("x"), read("x|red|blue", known(true, "x")).names());
  }

  @Test
  void aModelOfAFileWithoutNamesReadsRows() {
    ReadOptions numbered = known(false, "1", "2");
    assertEquals(2, read("1,2|0.5,6.5", numbered).rows());
    assertEquals(1, read("p,x", numbered).rows());
    assertEquals(3, read("p,x|q,y|p,y", numbered).rows());
    assertEquals(List.of("a", "b"), read("a,b|1,2|3,4", numbered).names());
  }

  @Test
  void columnsWithAndWithoutNamesAreNotTakenForEachOther() {
    Table named = read("0,1,2|0.5,1.5,2.5|1.5,1.5,3.5", ReadOptions.DEFAULT.withHeader(true));
    Table numbered = read("0.5,1.5,2.5|1.5,1.5,3.5", ReadOptions.DEFAULT);
    TableEncoding ofNamed = TableEncoding.fit(named, EncodingOptions.DEFAULT.withFeatures("1").withTargets("2"));
    TableEncoding ofNumbered = TableEncoding.fit(numbered, EncodingOptions.DEFAULT.withFeatures("1").withTargets("2"));
    assertEquals(Optional.of(true), ofNamed.header());
    assertRefused("has no header, but the model was trained on named columns: \"1\"; add a header, or use --header yes if line"
        + " 1 is one", () -> ofNamed.encodeFeatures(numbered));
    assertRefused("has a header in line 1, but the model was trained on a file without one; remove it, or use --header no if"
        + " it is a row", () -> ofNumbered.encodeFeatures(named.rows(new int[] {0})));
  }

  private static ReadOptions known(boolean named, String... names) {
    Map<String, ColumnKind> kinds = new HashMap<>();
    Arrays.stream(names).forEach(name -> kinds.put(name, ColumnKind.TEXT));
    kinds.put("y", ColumnKind.TEXT);
    return ReadOptions.DEFAULT.withSchema(new ColumnSchema(kinds, Set.of(names), Optional.of(named)));
  }

  private static Table read(String text) {
    return read(text, ReadOptions.DEFAULT);
  }

  private static Table read(String text, ReadOptions options) {
    byte[] bytes = (text.replace("|", "\n") + "\n").getBytes(StandardCharsets.UTF_8);
    return TableReader.read(new ByteArrayInputStream(bytes), "stdin", options);
  }
}
