#include <algorithm>
#include <cctype>
#include <string>

extern "C" char *shout(char *text) {
  std::string copy(text);
  std::transform(copy.begin(), copy.end(), text, [](unsigned char c) { return std::toupper(c); });
  return text;
}
