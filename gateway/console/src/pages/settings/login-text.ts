import { texts } from "@/i18n";

export const text = texts(
  {
    title: "Log in",
    name: "Name",
    password: "Password",
    login: "Log in",
    busy: "Logging in…",
    with: (name: string) => `Log in with ${name}`,
    or: "or",
    wrong: "Name or password is wrong.",
    back: "You come back to where you were; what you had typed is kept.",
    language: "Language",
    theme: "Theme",
    failed: "Logging in did not work",
  },
  {
    title: "登录",
    name: "用户名",
    password: "密码",
    login: "登录",
    busy: "登录中…",
    with: (name: string) => `使用 ${name} 登录`,
    or: "或",
    wrong: "用户名或密码错误。",
    back: "登录后将回到原页面，已填写的内容会保留。",
    language: "语言",
    theme: "主题",
    failed: "登录失败",
  },
);
