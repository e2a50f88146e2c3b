import { SqliteIndex } from "../../../lib/index/sqlite_index.ts";
import { testSearchIndex } from "../../contract/search_index.ts";

testSearchIndex("SqliteIndex", () => Promise.resolve(new SqliteIndex()));
