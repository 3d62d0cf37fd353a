// Words, comments and lines of PTX text.
#include "parser.h"
#include <algorithm>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

namespace ptx {

int width_of(const std::string& type) {
  return type == "pred" ? 1 : atoi(type.c_str() + 1);
}

bool is_type(const std::string& word) {
  bool number = word.size() >= 2 && isdigit(word[1]) && word.find_first_not_of("0123456789", 1) == std::string::npos;
  return word == "pred" || (number && strchr("usbf", word[0]));
}

Words split(const std::string& text, char separator) {
  Words parts(1);
  for (char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::string trim(const std::string& text) {
  size_t first = text.find_first_not_of(" \t\r\n"), last = text.find_last_not_of(" \t\r\n");
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

// Comments become spaces, so that positions and lines stay.
void Parser::strip_comments() {
  for (size_t i = 0; i + 1 < text.size(); i++) {
    if (text[i] == '/' && text[i + 1] == '/') {
      while (i < text.size() && text[i] != '\n') {
        text[i++] = ' ';
      }
    } else if (text[i] == '/' && text[i + 1] == '*') {
      size_t end = std::min(text.find("*/", i + 2), text.size() - 2) + 2;
      for (; i < end; i++) {
        if (text[i] != '\n') {
          text[i] = ' ';
        }
      }
    }
  }
}

u32 Parser::line() {
  for (; counted_to < at; counted_to++) {
    line_at_counted += text[counted_to] == '\n';
  }
  return line_at_counted;
}

ParseError Parser::error(const std::string& what) {
  return ParseError("PTX line " + std::to_string(line()) + ": " + what);
}

void Parser::skip_space() {
  while (at < text.size() && isspace((unsigned char)text[at])) {
    at++;
  }
}

std::string Parser::read_word() {
  skip_space();
  if (at >= text.size()) {
    throw error("the text ends within a module");
  }
  size_t from = at;
  while (at < text.size() && !isspace((unsigned char)text[at]) && !strchr("(){};,:=[", text[at])) {
    at++;
  }
  if (from == at) {
    at++;
  }
  return text.substr(from, at - from);
}

std::string Parser::read_until(char end) {
  size_t found = text.find(end, at);
  if (found == std::string::npos) {
    throw error(std::string("there is no ") + end);
  }
  std::string between = text.substr(at, found - at);
  at = found + 1;
  return between;
}

void Parser::skip_line() {
  while (at < text.size() && text[at] != '\n') {
    at++;
  }
}

}  // namespace ptx
