export { canonicalJson } from "./ledger/chain.ts";
export { type EnteredRecord, Ledger, type ListFilter, type UsageRow } from "./ledger/ledger.ts";
export { type Charged, charge } from "./price/charge.ts";
export { divideHalfEven, formatPico, parsePico } from "./price/money.ts";
export { defaultPriceTable, type PriceTable, parsePriceTable } from "./price/table.ts";
export { openSpool, type Spool } from "./spool/spool.ts";
