import { describe, expect, test } from "vitest";
import { renderTable } from "./table.ts";
import { displayWidth, printable, truncate } from "./text.ts";

describe("table", () => {
  test("numbers stand to the right, words to the left, a rule below the header", () => {
    const text = renderTable(
      ["arm", "bits", "accuracy", "flash"],
      [
        ["audio", "float", "81.1 % [77.0, 84.6]", undefined],
        ["image + audio", "mixed 8/4", "100.0 % [98.1, 100.0]", "219.3 kB"],
      ],
    );
    expect(text.split("\n")).toEqual([
      "arm            bits                    accuracy     flash",
      "─────────────  ─────────  ─────────────────────  ────────",
      "audio          float        81.1 % [77.0, 84.6]         -",
      "image + audio  mixed 8/4  100.0 % [98.1, 100.0]  219.3 kB",
    ]);
  });

  test("integers get thousands separators and other numbers stay", () => {
    expect(renderTable(["n", "loss"], [[1234567, 0.25]])).toBe(
      "        n  loss\n─────────  ────\n1,234,567  0.25",
    );
  });

  test("without rows only header and rule remain", () => {
    expect(renderTable(["a", "bc"], [])).toBe("a  bc\n─  ──");
  });

  test("wide characters keep the columns aligned", () => {
    expect(
      renderTable(
        ["class", "x"],
        [
          ["飛行機", "a"],
          ["café", "b"],
        ],
      ),
    ).toBe("class   x\n──────  ─\n飛行機  a\ncafé    b");
  });

  test("a class name cannot send control sequences to the terminal", () => {
    expect(renderTable(["class"], [["\u001b[2Jtank\n\u009b"]])).toBe(
      "class\n────────\n?[2Jtank??".replace("────────", "─".repeat(10)),
    );
  });
});

describe("text", () => {
  test("its width does not count colours or combining marks", () => {
    expect(displayWidth("\u001b[32mok\u001b[39m")).toBe(2);
    expect(displayWidth("e\u0301")).toBe(1);
    expect(displayWidth("日本")).toBe(4);
  });

  test("is cut to the width with an ellipsis, never through a wide character", () => {
    expect(truncate("helicopter", 10)).toBe("helicopter");
    expect(truncate("helicopter", 5)).toBe("heli…");
    expect(truncate("日本語", 4)).toBe("日…");
    expect(truncate("abc", 0)).toBe("");
  });

  test("loses its control characters", () => {
    expect(printable("a\u0007b\tc\u0085")).toBe("a?b?c?");
  });
});
