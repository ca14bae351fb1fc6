mod rounding;
