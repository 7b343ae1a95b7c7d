import { Client } from "@weirflow/sdk";

/** api calls the gateway that this page came from. */
export const api = new Client();
