#pragma once
#include <string>

inline std::size_t length(const std::string &text) { return text.size(); }
