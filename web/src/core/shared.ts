// What files of their own take from the bundle, those of single panels and that of pages: it is not in them again.

export * from "./change";
export * from "./colours";
export * from "./dom";
export * from "./explorer";
export * from "./feeding";
export * from "./host";
export * from "./live";
export * from "./naming";
export * from "./packed";
export * from "./patches";
export * from "./protocol";
export * from "./scale";
export * from "./scene";
export * from "./stored";
export * from "./theme";
