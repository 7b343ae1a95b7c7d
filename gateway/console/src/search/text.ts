import { texts } from "@/i18n";

export const text = texts({ suggestions: "Suggestions" }, { suggestions: "候选项" });
